using System.Buffers.Binary;
using Convoy.Shared.Casting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Shared.Tests.Casting;

public sealed class RosterTests
{
    private static Open Opened(int members, int slices)
    {
        var open = new Open
        {
            LeaderToken = 3, Generation = 7, JobId = "j", StartStep = 4, UntilStep = 9,
            StartFingerprint = 5
        };
        for (var i = 0; i < members; i++)
        {
            open.Members.Add(new Member
            {
                WorkerId = (3 * i) + 1, Incarnation = ulong.MaxValue - (ulong)i,
                PeerAddress = $"host-{i}.rack:{7000 + i}",
                Action = i % 7 == 6 ? AlignAction.FetchChunks : AlignAction.Keep, Source = i % 7 == 6 ? 1 : 0,
            });
        }

        for (var i = 0; i <= members; i++) open.Cuts.Add(slices * i / members);
        return open;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(700)]
    public void A_list_comes_back_as_it_went(int members)
    {
        var open = Opened(members, members * 2);
        var sent = Roster.Of(open.Members);
        var roster = Roster.Read(sent.Content, out var broken);
        Assert.Null(broken);
        Assert.Equal(sent.Sha256, roster!.Sha256);
        Assert.Equal(members, roster.Count);
        for (var i = 0; i < members; i++)
        {
            var member = open.Members[i];
            Assert.Equal(member.WorkerId, roster.WorkerAt(i).Value);
            Assert.Equal(member.Incarnation, roster.IncarnationAt(i).Value);
            Assert.Equal(member.PeerAddress, roster.AddressAt(i));
            Assert.Equal(i, roster.IndexOf(new WorkerId(member.WorkerId)));
        }

        Assert.Equal(-1, roster.IndexOf(new WorkerId(2)));
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(700, 16_000)]
    public void An_open_is_small_in_a_cast_and_whole_after_it(int members, int slices)
    {
        var open = Opened(members, slices);
        var cast = new Cast { LeaderToken = 3, Generation = 7, CastId = 1, FanOut = 2 };
        CastContent.Pack(open, cast);
        var roster = Roster.Of(open.Members);
        Assert.Null(CastContent.Refuse(cast, roster));
        Assert.Equal(open, CastContent.Unpack(cast, roster));
        Assert.Empty(cast.Open.Members);
    }

    [Fact]
    public void Ten_thousand_members_that_do_the_same_are_a_few_bytes()
    {
        var open = Opened(10_000, 10_000);
        foreach (var member in open.Members) (member.Action, member.Source) = (AlignAction.Keep, 0);
        var cast = new Cast { LeaderToken = 3, Generation = 7, CastId = 1, FanOut = 32 };
        CastContent.Pack(open, cast);
        Assert.InRange(cast.CalculateSize(), 1, 100);
    }

    [Theory]
    [InlineData(0, 0, "1 to 10000 members")]            // nobody
    [InlineData(0, 20_000, "1 to 10000 members")]       // more than there can be
    [InlineData(0, 3, "bytes follow|do not fit|lies at|sorted")] // more than follow
    [InlineData(4, 900, "sorted")]                      // order of workers
    [InlineData(16, 9_999, "lies at")]                  // an address outside
    public void A_broken_list_is_refused_with_its_rule(int offset, int value, string rule)
    {
        var bytes = Roster.Of(Opened(2, 2).Members).Content.ToByteArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(offset), value);
        Assert.Null(Roster.Read(ByteString.CopyFrom(bytes), out var broken));
        Assert.Matches(rule, broken!);
    }

    [Fact]
    public void Bytes_after_the_last_address_are_refused()
    {
        var bytes = Roster.Of(Opened(2, 2).Members).Content.ToByteArray();
        Assert.Null(Roster.Read(ByteString.CopyFrom([.. bytes, 0]), out var broken));
        Assert.Contains("follow the last address", broken, StringComparison.Ordinal);
        Assert.Null(Roster.Read(ByteString.CopyFrom(bytes[..3]), out _));
        Assert.Null(Roster.Read(ByteString.CopyFrom(bytes[..^1]), out _));
    }

    [Fact]
    public void A_cast_that_contradicts_its_list_is_refused()
    {
        var open = Opened(5, 5);
        var roster = Roster.Of(open.Members);
        Assert.Contains("fan-out", Broken(c => c.FanOut = 1), StringComparison.Ordinal);
        Assert.Contains("or both", Broken(c => c.Fence = new Fence()), StringComparison.Ordinal);
        Assert.Contains("or both", Broken(c => c.Open = null), StringComparison.Ordinal);
        Assert.Contains("another generation", Broken(c => c.Generation++), StringComparison.Ordinal);
        Assert.Contains("out of order", Broken(c => c.Gone.Add([2, 1])), StringComparison.Ordinal);
        Assert.Contains("out of order", Broken(c => c.Gone.Add(5)), StringComparison.Ordinal);
        Assert.Contains("6 actions", Broken(c => c.Actions[0].Count++), StringComparison.Ordinal);
        Assert.Contains("4 shares", Broken(c => c.Shares[0].Count--), StringComparison.Ordinal);
        Assert.Contains("slices", Broken(c => c.Shares[0].Slices = Limits.SlicesMax), StringComparison.Ordinal);

        string Broken(Action<Cast> breaks)
        {
            var cast = new Cast { LeaderToken = 3, Generation = 7, CastId = 1, FanOut = 2 };
            CastContent.Pack(open, cast);
            breaks(cast);
            return CastContent.Refuse(cast, roster) ?? "";
        }
    }
}
