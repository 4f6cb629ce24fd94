using System.Text;
using Convoy.Shared.Protocol;

namespace Convoy.Shared.Tests.Protocol;

public sealed class Crc32CTests
{
    [Fact]
    public void TheCheckValueOfTheStandard() =>
        Assert.Equal(0xE3069283u, Crc32C.Of(Encoding.ASCII.GetBytes("123456789")));

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(4_096)]
    [InlineData(3 * 8_192 - 1)]
    [InlineData(3 * 8_192)]
    [InlineData(6 * 8_192 + 8_195)]
    [InlineData(3 * 512 + 5)]
    [InlineData(15_871)]
    [InlineData(15_872)]
    [InlineData(2 * 15_872 + 1_536 + 9)]
    [InlineData(1_000_003)]
    public void RunsSideBySideGiveTheValueOfOneByteAfterAnother(int length)
    {
        var data = new byte[length];
        for (var i = 0; i < length; i++) data[i] = (byte)(i * 131 + (i >> 7));
        var expected = ~0u;
        foreach (var b in data)
        {
            expected ^= b;
            for (var bit = 0; bit < 8; bit++) expected = (expected >> 1) ^ ((expected & 1) * 0x82F63B78);
        }

        Assert.Equal(~expected, Crc32C.Of(data));
        var split = length / 3;
        Assert.Equal(~expected, ~Crc32C.Append(Crc32C.Append(~0u, data.AsSpan(0, split)), data.AsSpan(split)));
        var copy = new byte[length + 1];
        Assert.Equal(~expected, ~Crc32C.AppendCopying(Crc32C.AppendCopying(~0u, data.AsSpan(0, split), copy),
            data.AsSpan(split), copy.AsSpan(split)));
        Assert.True(copy.AsSpan(0, length).SequenceEqual(data) && copy[length] == 0);
    }
}
