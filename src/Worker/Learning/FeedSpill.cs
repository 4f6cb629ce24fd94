using System.Runtime.InteropServices;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;
using Convoy.Shared.Threading;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Learning;

/// <summary>
/// Pieces of steps that a learner's memory has no room for, in files of this machine: one file for each step, pieces
/// one behind the other as they came, deleted when the step was read. What is read is checked by the sums that stayed
/// in memory. Bounded; scratch only, so nothing is made durable. Thread-safe.
/// </summary>
/// <param name="disk">Of this machine.</param>
/// <param name="folder">Its own: whatever is in there is thrown away.</param>
/// <param name="bytesMax">Of all pieces together.</param>
internal sealed class FeedSpill(IDisk disk, string folder, long bytesMax)
{
    private readonly OrderedLock _gate = new("steps on disk", LockRank.Storage);
    private readonly List<SpilledStep> _steps = [];
    private bool _hasFolder;
    private string? _broken; // since the last Clear: a file may end in the middle of a piece

    private sealed class SpilledStep(StepNumber step, string path, IDiskFile file)
    {
        public StepNumber Step => step;
        public string Path => path;
        public IDiskFile File => file;
        public List<(long Offset, int Count, uint Sum)> Pieces { get; } = [];
        public long Bytes { get; set; }
    }

    /// <summary>Of all pieces that are here.</summary>
    public long Bytes
    {
        get
        {
            using (_gate.Enter()) return _steps.Sum(s => s.Bytes);
        }
    }

    public bool Holds(StepNumber step)
    {
        using (_gate.Enter()) return _steps.Exists(s => s.Step == step);
    }

    /// <summary>Returns why the piece cannot be kept, or null.</summary>
    /// <param name="piece">What it is.</param>
    /// <param name="elements">Its numbers, as bytes.</param>
    public string? Add(FeedHeader piece, ReadOnlySpan<byte> elements)
    {
        using (_gate.Enter())
        {
            if (_broken is not null) return _broken;
            var all = _steps.Sum(s => s.Bytes);
            if (all + elements.Length > bytesMax)
                return $"{all} bytes of {_steps.Count} steps wait on disk, {bytesMax} may";
            try
            {
                var step = _steps.Find(s => s.Step == piece.Step) ?? Begin(piece.Step);
                step.File.Write(elements);
                step.Pieces.Add((piece.Offset, piece.Count, Crc32C.Of(elements)));
                step.Bytes += elements.Length;
                return null;
            }
            catch (IOException cause)
            {
                return _broken = $"{folder}: steps that wait cannot be written there: {cause.Message}";
            }
        }
    }

    private SpilledStep Begin(StepNumber number)
    {
        if (!_hasFolder)
        {
            disk.DeleteFolder(folder); // of a process that was killed
            disk.CreateFolder(folder);
            _hasFolder = true;
        }

        var path = Path.Combine(folder, $"step-{number}");
        var step = new SpilledStep(number, path, disk.Create(path));
        _steps.Add(step);
        return step;
    }

    /// <summary>Reads all pieces of the step; returns why they cannot be used, or null. Once for each step.</summary>
    public string? Read(StepNumber number, PinnedVector into)
    {
        using (_gate.Enter())
        {
            if (_steps.Find(s => s.Step == number) is not { } step) return $"step {number} is not on disk any more";
            try
            {
                step.File.Dispose(); // all of it is written now, and nobody adds to a whole step
                using var stream = disk.OpenRead(step.Path);
                foreach (var (offset, count, sum) in step.Pieces)
                {
                    var bytes = MemoryMarshal.AsBytes(into.Span.Slice((int)offset, count));
                    stream.ReadExactly(bytes);
                    if (Crc32C.Of(bytes) != sum) return $"{step.Path}: other bytes than were written there";
                }

                return null;
            }
            catch (IOException cause)
            {
                return $"{step.Path}: {cause.Message}";
            }
        }
    }

    public void Forget(StepNumber upTo)
    {
        using (_gate.Enter())
        {
            foreach (var step in _steps)
                if (step.Step <= upTo) Delete(step);
            _steps.RemoveAll(s => s.Step <= upTo);
        }
    }

    /// <summary>Nothing is left, on disk neither.</summary>
    public void Clear()
    {
        using (_gate.Enter())
        {
            foreach (var step in _steps) Delete(step);
            _steps.Clear();
            _broken = null;
            if (!_hasFolder) return;
            _hasFolder = false;
            Try(() => disk.DeleteFolder(folder));
        }
    }

    private void Delete(SpilledStep step) => Try(() =>
    {
        step.File.Dispose();
        disk.DeleteFile(step.Path);
    });

    // What cannot be deleted is deleted with the folder, by this process or by the next of its name.
    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (IOException)
        {
            // The disk is in trouble; the next write says so.
        }
    }
}
