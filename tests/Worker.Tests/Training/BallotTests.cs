using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Training;

/// <summary>
/// S3 by itself: votes of whole generations, each to each and through trees, in orders that a seed chooses.
/// </summary>
public sealed class BallotTests
{
    private sealed record Word(int From, int To, bool OfAll);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(7, 0)]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(8, 3)]
    [InlineData(100, 2)]
    [InlineData(600, 32)]
    public void Everybody_is_unanimous_and_nobody_before_all_have_voted_S3(int members, int fanOut)
    {
        for (ulong seed = 1; seed <= 20; seed++) Vote(members, fanOut, seed);
    }

    private static void Vote(int members, int fanOut, ulong seed)
    {
        var choice = seed;
        var ballots = Enumerable.Range(0, members).Select(i => new Ballot(members, i, fanOut)).ToArray();
        foreach (var ballot in ballots) ballot.Begin();
        var silent = Enumerable.Range(0, members).ToList();
        var wire = new List<Word>();
        void Send(int from)
        {
            var (first, end, ofAll) = ballots[from].Next();
            for (var to = first; to < end; to++)
                if (to != from) wire.Add(new Word(from, to, ofAll));
        }

        while (silent.Count + wire.Count > 0)
        {
            choice = unchecked((choice * 6364136223846793005UL) + 1442695040888963407UL);
            var at = (int)((choice >> 33) % (ulong)(silent.Count + wire.Count));
            if (at < silent.Count)
            {
                var member = silent[at];
                silent.RemoveAt(at);
                ballots[member].SayOwn();
                Send(member);
            }
            else
            {
                var word = wire[at - silent.Count];
                wire.RemoveAt(at - silent.Count);
                Assert.Null(ballots[word.To].Hear(word.From, word.OfAll));
                Send(word.To);
            }

            if (silent.Count > 0) Assert.DoesNotContain(ballots, b => b.IsUnanimous);
        }

        Assert.All(ballots, b => Assert.True(b.IsUnanimous));
        Assert.All(ballots, b => Assert.Empty(b.Awaited()));
    }

    [Fact]
    public void A_tree_costs_two_words_for_each_member_but_one()
    {
        var ballots = Enumerable.Range(0, 40).Select(i => new Ballot(40, i, 3)).ToArray();
        var words = 0;
        foreach (var b in ballots) b.Begin();
        foreach (var b in ballots) b.SayOwn();
        for (var i = 39; i >= 0; i--)
        {
            var (from, end, _) = ballots[i].Next();
            words += end - from;
            for (var to = from; to < end; to++) Assert.Null(ballots[to].Hear(i, ofAll: i == 0));
        }

        for (var i = 1; i < 40; i++)
        {
            var (from, end, ofAll) = ballots[i].Next();
            Assert.True(ofAll || from == end);
            words += end - from;
            for (var to = from; to < end; to++) Assert.Null(ballots[to].Hear(i, ofAll));
        }

        Assert.Equal(2 * 39, words);
    }

    [Fact]
    public void Words_that_cannot_be_are_refused_by_name()
    {
        var direct = new Ballot(3, 1, 0);
        direct.Begin();
        Assert.Contains("does not report", direct.Hear(1, false), StringComparison.Ordinal);
        Assert.Null(direct.Hear(0, false));
        Assert.Contains("voted already", direct.Hear(0, false), StringComparison.Ordinal);
        Assert.Contains("does not stand above", direct.Hear(0, true), StringComparison.Ordinal);
        Assert.Equal([2], direct.Awaited());

        var node = new Ballot(8, 1, 2);
        node.Begin();
        Assert.Contains("has not voted", node.Hear(0, true), StringComparison.Ordinal);
        Assert.Contains("does not report", node.Hear(2, false), StringComparison.Ordinal);
        Assert.Equal([3, 4], node.Awaited());
        Assert.False(node.IsUnanimous);
    }

    [Fact]
    public void A_member_that_has_told_waits_for_who_stands_above_it()
    {
        var leaf = new Ballot(8, 5, 2);
        leaf.Begin();
        leaf.SayOwn();
        Assert.Equal((2, 3, false), leaf.Next());
        Assert.Equal([2], leaf.Awaited());
        leaf.Begin();
        Assert.Empty(leaf.Awaited());
    }
}
