using System.Security.Cryptography;
using Convoy.Shared.Jobs;

namespace Convoy.Worker.Data;

/// <summary>Samples in one array file and their classes in another (IDX or NPY), both mapped.</summary>
internal sealed class ArraySource : SampleSource
{
    private readonly ArrayFile _samples;
    private readonly ArrayFile _labels;
    private readonly double _scale;

    private ArraySource(ArrayFile samples, ArrayFile labels, double scale)
    {
        (_samples, _labels, _scale) = (samples, labels, scale);
        SampleShape = samples.Shape.Count == 1 ? [1] : [.. samples.Shape.Skip(1).Select(size => checked((int)size))];
    }

    public override long Count => _samples.Count;

    public override IReadOnlyList<int> SampleShape { get; }

    public static SampleSource Open(IReadOnlyList<string> files, IReadOnlyList<string> labels, DataSpec data,
        int classes, DataCache cache)
    {
        Func<string, DataCache, ArrayFile> open = data.Format == "idx" ? IdxFile.Open : NpyFile.Open;
        var parts = new List<SampleSource>();
        try
        {
            for (var i = 0; i < files.Count; i++)
            {
                var part = OpenPart(open(files[i], cache), () => open(labels[i], cache), data.Scale, classes);
                parts.Add(part);
                if (!part.SampleShape.SequenceEqual(parts[0].SampleShape))
                    throw BadData.File(files[i],
                        $"its samples are [{string.Join(", ", part.SampleShape)}], those of {files[0]} are "
                        + $"[{string.Join(", ", parts[0].SampleShape)}]");
            }

            return parts.Count == 1 ? parts[0] : new JoinedSource(parts);
        }
        catch
        {
            foreach (var part in parts) part.Dispose();
            throw;
        }
    }

    private static ArraySource OpenPart(ArrayFile samples, Func<ArrayFile> openLabels, double scale, int classes)
    {
        ArrayFile? labels = null;
        try
        {
            labels = openLabels();
            if (labels.Length != labels.Count)
                throw BadData.File(labels.File,
                $"labels have one dimension, not {labels.Shape.Count}; are data.path and data.labels swapped?");
            if (labels.Count != samples.Count)
                throw BadData.File(labels.File,
                $"{labels.Count} labels for the {samples.Count} samples of {samples.File}");
            CheckLabels(labels, classes);
            CheckFinite(samples, scale);
            return new ArraySource(samples, labels, scale);
        }
        catch
        {
            samples.Dispose();
            labels?.Dispose();
            throw;
        }
    }

    private static void CheckLabels(ArrayFile labels, int classes)
    {
        for (var i = 0L; i < labels.Count; i++)
        {
            var value = labels.Elements.Double(labels.Row(i));
            if (value >= 0 && value < classes && value == Math.Floor(value)) continue;
            var offset = labels.DataOffset + (i * labels.RowBytes);
            throw BadData.Byte(labels.File, offset,
                $"label {value} of sample {i} is not a whole number from 0 to {classes - 1}; the model has {classes} "
                + "classes");
        }
    }

    private static void CheckFinite(ArrayFile samples, double scale)
    {
        if (!samples.Elements.IsFloat) return;
        var size = samples.Elements.Size;
        samples.View.ForEachPiece(samples.DataOffset, (at, piece) =>
        {
            for (var i = 0; i + size <= piece.Length; i += size)
            {
                var value = samples.Elements.Double(piece[i..]);
                if (!float.IsFinite((float)(value * scale)))
                    throw BadData.Byte(samples.File, at + i,
                        $"{value} in sample {(at + i - samples.DataOffset) / samples.RowBytes} is not a finite "
                        + "number (float32)");
            }
        });
    }

    public override void AddTo(IncrementalHash hash)
    {
        hash.AppendData(BitConverter.GetBytes(_scale));
        foreach (var array in new[] { _samples, _labels })
            array.View.ForEachPiece(0, (_, piece) => hash.AppendData(piece));
    }

    public override int Read(long sample, Span<float> x)
    {
        _samples.Elements.ReadScaled(_samples.Row(sample), _scale, x);
        return (int)_labels.Elements.Double(_labels.Row(sample));
    }

    public override void Dispose()
    {
        _samples.Dispose();
        _labels.Dispose();
    }
}
