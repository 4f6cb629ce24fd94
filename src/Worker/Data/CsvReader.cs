namespace Convoy.Worker.Data;

/// <summary>
/// Rows of a CSV file (RFC 4180): fields between commas, optionally in quotes, in which a doubled quote is a quote and
/// a line may break. Lines end with LF, CRLF or CR. Fields are bytes; they live until the next row.
/// </summary>
internal sealed class CsvReader(Stream stream, string file)
{
    private const int RowBytesMax = 64 << 20;

    private enum Place
    {
        FieldStart,
        Plain,
        Quoted,
        AfterQuote,
    }

    private readonly byte[] _buffer = new byte[1 << 16];
    private int _at;
    private int _end;
    private byte[] _row = new byte[1 << 12];
    private int _rowBytes;
    private readonly List<int> _ends = [];
    private long _line = 1;
    private bool _begun;

    /// <summary>Line at which the present row begins, from 1.</summary>
    public long Line { get; private set; }

    public int FieldCount => _ends.Count;

    public bool IsBlank => _ends.Count == 1 && _ends[0] == 0;

    public ReadOnlySpan<byte> Field(int index)
    {
        var from = index == 0 ? 0 : _ends[index - 1];
        return _row.AsSpan(from, _ends[index] - from);
    }

    public bool ReadRow()
    {
        SkipByteOrderMark();
        (_rowBytes, Line) = (0, _line);
        _ends.Clear();
        var place = Place.FieldStart;
        for (var isFirst = true; ; isFirst = false)
        {
            var next = Next();
            if (next < 0)
            {
                if (place == Place.Quoted) throw BadData.Line(file, Line, "a quote is opened and never closed");
                if (isFirst) return false;
                EndField();
                return true;
            }

            if (place != Place.Quoted && (next is '\n' or '\r'))
            {
                if (next == '\r' && Peek() == '\n') Next();
                _line++;
                EndField();
                return true;
            }

            place = Step(place, (byte)next);
        }
    }

    private Place Step(Place place, byte next)
    {
        switch (place)
        {
            case Place.Quoted when next == '"': return Place.AfterQuote;
            case Place.Quoted:
                if (next == '\n') _line++;
                Add(next);
                return Place.Quoted;
            case Place.AfterQuote when next == '"':
                Add(next);
                return Place.Quoted;
            case Place.FieldStart when next == '"': return Place.Quoted;
        }

        if (next == ',')
        {
            EndField();
            return Place.FieldStart;
        }

        if (place == Place.AfterQuote && next != ' ')
            throw BadData.Line(file, Line, "text follows a closing quote; put a comma between, or double the quote");
        if (place == Place.AfterQuote) return Place.AfterQuote;
        Add(next);
        return Place.Plain;
    }

    private void Add(byte value)
    {
        if (_rowBytes == _row.Length)
        {
            if (_rowBytes >= RowBytesMax)
                throw BadData.Line(file, Line, $"the row is longer than {RowBytesMax} bytes; this is hardly CSV");
            Array.Resize(ref _row, _row.Length * 2);
        }

        _row[_rowBytes++] = value;
    }

    private void EndField() => _ends.Add(_rowBytes);

    private void SkipByteOrderMark()
    {
        if (_begun) return;
        _begun = true;
        if (Peek() == 0xEF && _end - _at >= 3 && _buffer[_at + 1] == 0xBB && _buffer[_at + 2] == 0xBF) _at += 3;
    }

    private int Next()
    {
        var next = Peek();
        if (next >= 0) _at++;
        return next;
    }

    private int Peek()
    {
        if (_at == _end)
        {
            (_at, _end) = (0, stream.ReadAtLeast(_buffer, _buffer.Length, throwOnEndOfStream: false));
            if (_end == 0) return -1;
        }

        return _buffer[_at];
    }
}
