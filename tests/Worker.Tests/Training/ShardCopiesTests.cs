using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Training;

/// <summary>MEM-04: what saves copy is bounded by the saves that are being written, not by the collector.</summary>
public sealed class ShardCopiesTests
{
    private readonly ShardCopies _copies = new();

    [Fact]
    public void A_copy_that_was_written_serves_the_next_save()
    {
        var first = _copies.Rent(1_000);
        _copies.GiveBack(first);
        Assert.Same(first, _copies.Rent(1_000));
    }

    [Fact]
    public void A_copy_that_is_being_written_is_nobody_elses()
    {
        var first = _copies.Rent(1_000);
        var second = _copies.Rent(1_000);
        Assert.NotSame(first, second);
        _copies.GiveBack(first);
        _copies.GiveBack(second);
        Assert.Same(second, _copies.Rent(900));
        Assert.Same(first, _copies.Rent(900));
    }

    [Fact]
    public void No_more_than_two_wait_for_a_save()
    {
        float[][] all = [_copies.Rent(10), _copies.Rent(10), _copies.Rent(10)];
        foreach (var copy in all) _copies.GiveBack(copy);
        Assert.Same(all[1], _copies.Rent(10));
        Assert.Same(all[0], _copies.Rent(10));
        Assert.NotSame(all[2], _copies.Rent(10));
    }

    [Theory]
    [InlineData(1_001)]
    [InlineData(499)]
    public void A_copy_of_another_size_is_let_go(int count)
    {
        var first = _copies.Rent(1_000);
        _copies.GiveBack(first);
        var other = _copies.Rent(count);
        Assert.NotSame(first, other);
        Assert.Equal(count, other.Length);
    }
}
