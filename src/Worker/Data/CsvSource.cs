using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Worker.Data;

/// <summary>
/// CSV with a header, parsed once into records of float32 features (already scaled) and one int32 class. A set of up to
/// 16 MB of text is held in memory, about 4 bytes a number; a larger one lies in the data cache and is mapped.
/// </summary>
internal sealed class CsvSource : SampleSource
{
    private const string Version = "csv-1";
    private const int HeaderBytes = 8;

    private readonly DataView _view;
    private readonly int _features;

    private CsvSource(DataView view)
    {
        _view = view;
        _features = BinaryPrimitives.ReadInt32LittleEndian(view.Slice(0, 4));
        Count = (view.Length - HeaderBytes) / RecordBytes;
    }

    public override long Count { get; }

    public override IReadOnlyList<int> SampleShape => [_features];

    private int RecordBytes => (_features + 1) * sizeof(float);

    public static CsvSource Open(IReadOnlyList<string> files, DataSpec data, int classes, DataCache cache)
    {
        Invariant.Check(BitConverter.IsLittleEndian, "DATA-2 records lie in memory as in the file, little endian");
        var bytes = 0L;
        foreach (var file in files)
            using (var stream = BadData.Open(file)) bytes += stream.Length;
        var what = string.Create(CultureInfo.InvariantCulture, $"{Version}\n{data.Label}\n{data.Scale:R}\n{classes}");
        return new CsvSource(cache.Get(what, files, bytes, to => new CsvParser(data, classes, to).Parse(files)));
    }

    public override void AddTo(IncrementalHash hash) => _view.ForEachPiece(0, (_, piece) => hash.AppendData(piece));

    public override int Read(long sample, Span<float> x)
    {
        var record = _view.Slice(HeaderBytes + (sample * RecordBytes), RecordBytes);
        MemoryMarshal.Cast<byte, float>(record[..(_features * sizeof(float))]).CopyTo(x);
        return BinaryPrimitives.ReadInt32LittleEndian(record[(_features * sizeof(float))..]);
    }

    public override void Dispose() => _view.Dispose();

    private sealed class CsvParser(DataSpec data, int classes, Stream to)
    {
        private int _columns;
        private int _label;
        private string[] _names = [];
        private byte[] _record = [];

        public void Parse(IReadOnlyList<string> files)
        {
            foreach (var file in files)
            {
                using var stream = BadData.Open(file);
                var rows = new CsvReader(stream, file);
                ReadHeader(rows, file);
                if (ReadRows(rows, file) == 0)
                    throw BadData.Line(file, 2, "there is no row after the header; the set is empty");
            }
        }

        private void ReadHeader(CsvReader rows, string file)
        {
            if (!rows.ReadRow() || rows.IsBlank)
                throw BadData.Line(file, 1, "the first line is empty; it must name the columns");
            var names = new string[rows.FieldCount];
            var allNumbers = true;
            for (var i = 0; i < names.Length; i++)
            {
                names[i] = Encoding.UTF8.GetString(rows.Field(i)).Trim();
                allNumbers &= double.TryParse(names[i], NumberStyles.Float, CultureInfo.InvariantCulture, out _);
            }

            if (allNumbers) throw BadData.Line(file, 1,
                "there is no header (only numbers); put a line with the names of the columns first");
            if (names.Length < 2)
                throw BadData.Line(file, 1,
                "there is one column; a sample needs features and a label, separated by commas");
            if (_columns == 0) Begin(names, file);
            else if (!names.AsSpan().SequenceEqual(_names))
                throw BadData.Line(file, 1, "the columns differ from those of the first file; use files of one kind");
        }

        private void Begin(string[] names, string file)
        {
            (_names, _columns) = (names, names.Length);
            _label = data.Label switch
            {
                "first" => 0,
                "last" => names.Length - 1,
                var name => Array.IndexOf(names, name),
            };
            if (_label < 0)
            {
                var near = NearestWord.DidYouMean(data.Label, names);
                throw BadData.Line(file, 1,
                    $"there is no column '{data.Label}'{near}; data.label is first, last or a name of the header");
            }

            if (Array.LastIndexOf(names, names[_label]) != Array.IndexOf(names, names[_label])
                && data.Label is not ("first" or "last"))
                throw BadData.Line(file, 1, $"two columns are called '{data.Label}'; use label: first or last");
            _record = new byte[names.Length * sizeof(float)];
            Span<byte> header = stackalloc byte[HeaderBytes];
            BinaryPrimitives.WriteInt32LittleEndian(header, names.Length - 1);
            to.Write(header);
        }

        private long ReadRows(CsvReader rows, string file)
        {
            var (count, blankLine) = (0L, 0L);
            while (rows.ReadRow())
            {
                // Empty lines at the end are common; in the middle they are a row that got lost.
                if (rows.IsBlank)
                {
                    if (blankLine == 0) blankLine = rows.Line;
                    continue;
                }

                if (blankLine > 0) throw BadData.Line(file, blankLine, "the line is empty; remove it");
                WriteRow(rows, file);
                count++;
            }

            return count;
        }

        private void WriteRow(CsvReader rows, string file)
        {
            if (rows.FieldCount != _columns)
                throw BadData.Line(file, rows.Line,
                    $"{rows.FieldCount} fields, the header has {_columns}; the row is ragged");
            var floats = MemoryMarshal.Cast<byte, float>(_record.AsSpan());
            var feature = 0;
            for (var i = 0; i < _columns; i++)
            {
                if (i == _label) BinaryPrimitives.WriteInt32LittleEndian(_record.AsSpan((_columns - 1) * sizeof(float)),
                    Label(rows, file));
                else floats[feature++] = Feature(rows, i, file);
            }

            to.Write(_record);
        }

        private float Feature(CsvReader rows, int column, string file)
        {
            if (!double.TryParse(rows.Field(column), NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
                throw BadData.Line(file, rows.Line,
                    $"column {Name(column)}: {Show(rows.Field(column))} is not a number");
            var value = (float)(number * data.Scale);
            return float.IsFinite(value) ? value
                : throw BadData.Line(file, rows.Line,
                    $"column {Name(column)}: {Show(rows.Field(column))} is not a finite number; mend or remove the "
                    + "row");
        }

        private int Label(CsvReader rows, string file)
        {
            var field = rows.Field(_label);
            if (!double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                || number != Math.Floor(number) || double.IsInfinity(number))
                throw BadData.Line(file, rows.Line,
                    $"label {Show(field)} (column {Name(_label)}) is not a whole number");
            return number >= 0 && number < classes ? (int)number
                : throw BadData.Line(file, rows.Line,
                    $"label {Show(field)} (column {Name(_label)}) is outside 0 to {classes - 1}; the model has "
                    + $"{classes} classes");
        }

        private string Name(int column) =>
            _names[column].Length is > 0 and <= 40 ? $"'{_names[column]}'" : $"{column + 1}";

        private static string Show(ReadOnlySpan<byte> field)
        {
            var text = Encoding.UTF8.GetString(field.Length > 40 ? field[..40] : field);
            return $"'{string.Concat(text.Select(c => char.IsControl(c) ? '?' : c))}'";
        }
    }
}
