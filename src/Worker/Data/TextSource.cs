using System.Security.Cryptography;

namespace Convoy.Worker.Data;

/// <summary>
/// Text as bytes: the files one after the other; sample i is the window of context + 1 bytes at i x context, so that
/// windows share one byte and every byte but the first is predicted once. The last bytes that fill no window are
/// unused.
/// </summary>
internal sealed class TextSource : SampleSource
{
    private readonly DataView _view;
    private readonly int _context;

    private TextSource(DataView view, int context) => (_view, _context) = (view, context);

    public override long Count => (_view.Length - 1) / _context;

    public override IReadOnlyList<int> SampleShape => [_context];

    public override bool IsTokens => true;

    public static TextSource Open(IReadOnlyList<string> paths, int context, int vocabulary, DataCache cache)
    {
        var files = TextFiles.Find(paths);
        var lengths = new long[files.Count];
        for (var i = 0; i < lengths.Length; i++)
            using (var stream = BadData.Open(files[i])) lengths[i] = stream.Length;
        // A single file is mapped as it is.
        var view = files.Count == 1 ? DataView.Map(files[0])
            : cache.Get("text-1", files, lengths.Sum(), to => Join(files, to));
        try
        {
            CheckSymbols(view, files, lengths, vocabulary);
            if (view.Length <= context)
                throw BadData.File(files[0],
                    $"{view.Length} bytes of text make no sample; one takes {context + 1} (model.context + 1)");
            return new TextSource(view, context);
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    private static void Join(IReadOnlyList<string> files, Stream to)
    {
        foreach (var file in files)
        {
            using var from = BadData.Open(file);
            from.CopyTo(to);
        }
    }

    private static void CheckSymbols(DataView view, IReadOnlyList<string> files, long[] lengths, int vocabulary)
    {
        if (vocabulary > byte.MaxValue) return;
        view.ForEachPiece(0, (at, piece) =>
        {
            var found = piece.IndexOfAnyInRange((byte)vocabulary, byte.MaxValue);
            if (found < 0) return;
            var (offset, file) = (at + found, 0);
            while (offset >= lengths[file]) offset -= lengths[file++];
            throw BadData.Byte(files[file], offset,
                $"byte value {piece[found]} is outside the vocabulary of {vocabulary}; set model.vocabulary: 256");
        });
    }

    public override void AddTo(IncrementalHash hash)
    {
        hash.AppendData(BitConverter.GetBytes(_context));
        _view.ForEachPiece(0, (_, piece) => hash.AppendData(piece));
    }

    public override void ReadTokens(long sample, Span<int> x, Span<int> y)
    {
        var window = _view.Slice(sample * _context, _context + 1);
        for (var i = 0; i < _context; i++) (x[i], y[i]) = (window[i], window[i + 1]);
    }

    public override void Dispose() => _view.Dispose();
}
