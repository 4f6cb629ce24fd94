using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Convoy.Worker.Data;

/// <summary>
/// NPY, the format of NumPy, versions 1 and 2:
/// <code>
/// 0  0x93 "NUMPY" (6)   6  major, minor (2)   8  length of the header, little endian (2, or 4 in version 2)
/// .. header: a Python dict in ASCII, such as {'descr': '&lt;f4', 'fortran_order': False, 'shape': (3, 4), }
/// .. elements
/// </code>
/// </summary>
internal static partial class NpyFile
{
    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    private const int HeaderBytesMax = 1 << 16;

    public static ArrayFile Open(string file, DataCache cache)
    {
        var view = ArrayFile.OpenView(file, cache);
        try
        {
            return Read(file, view).Checked();
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    private static ArrayFile Read(string file, DataView view)
    {
        if (view.Length < 12) throw BadData.Byte(file, view.Length, "the file ends inside the NPY header");
        if (!view.Slice(0, 6).SequenceEqual(Magic))
            throw BadData.Byte(file, 0, "this is not NPY: it does not begin with 0x93 NUMPY");
        var major = view.Slice(6, 1)[0];
        if (major is not (1 or 2))
            throw BadData.Byte(file, 6, $"NPY version {major} is not read here; save it with version 1 or 2");
        var (start, length) = major == 1
            ? (10, (long)BinaryPrimitives.ReadUInt16LittleEndian(view.Slice(8, 2)))
            : (12, BinaryPrimitives.ReadUInt32LittleEndian(view.Slice(8, 4)));
        if (length > HeaderBytesMax)
            throw BadData.Byte(file, 8, $"a header of {length} bytes is impossible (at most {HeaderBytesMax})");
        if (view.Length < start + length)
            throw BadData.Byte(file, view.Length, $"the file ends inside the NPY header of {start + length} bytes");
        var header = Encoding.Latin1.GetString(view.Slice(start, (int)length));
        var match = Header().Match(header);
        if (!match.Success) throw BadData.Byte(file, start,
            "the header is not the usual {'descr': .., 'fortran_order': .., 'shape': ..}");

        var shape = match.Groups["size"].Captures.Select(
            c => long.Parse(c.Value, CultureInfo.InvariantCulture)).ToArray();
        if (match.Groups["order"].Value == "True" && shape.Length > 1)
            throw BadData.Byte(file, start, "the array lies in Fortran order; save it with numpy.ascontiguousarray");
        return new ArrayFile(file, view, ElementsOf(match.Groups["descr"].Value, file, start), shape, start + length);
    }

    private static Elements ElementsOf(string descr, string file, int at)
    {
        ElementType? type = descr[1..] switch
        {
            "u1" => ElementType.UInt8,
            "i4" => ElementType.Int32,
            "i8" => ElementType.Int64,
            "f4" => ElementType.Float32,
            "f8" => ElementType.Float64,
            _ => null,
        };
        return type is { } known ? new Elements(known, descr[0] == '>')
            : throw BadData.Byte(file, at, $"element type '{descr}' is not read here; use f4, f8, u1, i4 or i8");
    }

    // NumPy writes the three keys in this order and one-element tuples with a comma.
    [GeneratedRegex(@"^\{'descr': '(?<descr>[<>|=][A-Za-z]\d{1,3})', 'fortran_order': (?<order>True|False), 'shape': \((?:(?<size>\d{1,18})(?:, ?|,?(?=\))))*\),? ?\}\s*$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Header();
}
