using System.Text;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Storage;
using Convoy.Shared.Tensors;
using FsCheck;
using FsCheck.Fluent;

namespace Convoy.Shared.Tests.Checkpoints;

public sealed class SafetensorsTests
{
    private static SafetensorsHeader Read(byte[] file) => SafetensorsHeader.Read(new MemoryStream(file), "f");

    private static byte[] File(string json, int dataBytes, long? length = null)
    {
        var header = Encoding.UTF8.GetBytes(json);
        return [.. BitConverter.GetBytes(length ?? header.Length), .. header, .. new byte[dataBytes]];
    }

    private static string Refusal(byte[] file)
    {
        var e = Assert.Throws<UserException>(() => Read(file));
        Assert.Equal(ExitCode.BadCheckpoint, e.Code);
        Assert.StartsWith("f: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    [Fact]
    public void What_is_written_is_read_and_lies_aligned()
    {
        var disk = new MemoryDisk();
        disk.CreateFolder("/d");
        var written = ShardWriter.Write(disk, "/d", "s",
            [new("a", new Shape(2, 3), new float[] { 1, 2, 3, 4, 5, 6 }), new("empty", new Shape(0, 4), new float[0]),
                new("scalar", Shape.Scalar, new float[] { 7 })],
            [("k", "v")]);
        using var stream = disk.OpenRead("/d/s");
        var header = SafetensorsHeader.Read(stream, "s");
        Assert.Equal(0, header.DataOffset % 8);
        Assert.Equal("v", header.Metadata["k"]);
        Assert.Equal(["a", "empty", "scalar"], header.Tensors.Select(t => t.Name));
        Assert.Equal(new Shape(2, 3), header.Tensors[0].Shape);
        Assert.Equal((24L, 28L), (header.Tensors[2].From, header.Tensors[2].End));
        Assert.Equal(stream.Length, written.Bytes);
        stream.Position = 0;
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream)), written.Sha256);
    }

    [Theory]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "tensor a: it ends at byte")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, "1 bytes belong to no tensor")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "its shape needs 12 bytes")]
    [InlineData("{\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}",
        4, "element type BF16 is not read here")]
    [InlineData("{\"a\":{\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "element type none")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "no shape")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "no data_offsets")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "not a whole number from 0")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "not a whole number from 0")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2000000000,2000000000,2000000000],\"data_offsets\":[0,4]}}",
        4, "too large")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, "8 dimensions")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "not a range")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, "unknown field x")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}", 6, "tensor b: it overlaps")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", 12, "tensor b: there is a hole")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "not that of a safetensors file")]
    [InlineData("{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "not that of a safetensors file")]
    [InlineData("{\"a\":5}", 4, "not that of a safetensors file")]
    [InlineData("[1]", 0, "not that of a safetensors file")]
    [InlineData("nonsense", 0, "not that of a safetensors file")]
    public void A_wrong_header_is_refused(string json, int data, string reason) =>
        Assert.Contains(reason, Refusal(File(json, data)), StringComparison.Ordinal);

    [Fact]
    public void Impossible_lengths_are_refused_before_anything_is_allocated()
    {
        Assert.Contains("ends before the length", Refusal([1, 2, 3]), StringComparison.Ordinal);
        Assert.Contains("impossible", Refusal(File("{}", 0, long.MaxValue)), StringComparison.Ordinal);
        Assert.Contains("impossible", Refusal(File("{}", 0, -1)), StringComparison.Ordinal);
        Assert.Contains("does not fit", Refusal(File("{}", 0, 60 << 20)), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_give_a_header_or_one_line() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            try
            {
                Read([.. BitConverter.GetBytes((long)bytes.Length), .. bytes]);
            }
            catch (UserException)
            {
                // Refused: that is the other good end.
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_flipped_bit_of_a_header_is_seen_by_header_or_hash()
    {
        var disk = new MemoryDisk();
        disk.CreateFolder("/d");
        var length = (int)ShardWriter.Write(disk, "/d", "s", [new("w", new Shape(2), new float[] { 1, 2 })], []).Bytes;
        for (var at = 0; at < length; at++)
        {
            disk.Damage("/d/s", at);
            using var stream = disk.OpenRead("/d/s");
            try
            {
                SafetensorsHeader.Read(stream, "s");
            }
            catch (UserException)
            {
                // Refused: that is the other good end.
            }

            disk.Damage("/d/s", at);
        }
    }
}
