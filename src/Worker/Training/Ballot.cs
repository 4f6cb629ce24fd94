using Convoy.Shared.Casting;

namespace Convoy.Worker.Training;

// The votes of one generation under CommitRule UNANIMOUS, step after step. Up to some hundred members every member
// tells every other. More form a tree, position 0 at its root: Complete goes up when a member and all below it hold
// the step, and "of all" comes down from the root. A node that dies is a lost member: the step ends with its
// generation, so the tree is never mended.
// S3  Unanimous only after every member of the generation has said Complete, itself or through who stands above it.
/// <param name="members">Members of the generation.</param>
/// <param name="me">Position of this member in their list.</param>
/// <param name="fanOut">Children of each node of the tree; 0: everybody tells everybody.</param>
internal sealed class Ballot(int members, int me, int fanOut)
{
    // The coordinator would be the root of a tree of casts; here the first member is, so the others count from one.
    private readonly CastTree _tree = new(members - 1, Math.Max(fanOut, 2));
    private readonly bool[] _heard = new bool[members];
    private int _missing;
    private bool _ofAll;
    private bool _told;

    public bool IsTree => fanOut > 0;

    /// <summary>Every member holds the step that was begun last.</summary>
    public bool IsUnanimous => _heard[me] && (IsTree && me > 0 ? _ofAll : _missing == 0);

    /// <summary>Another step: nobody has voted.</summary>
    public void Begin()
    {
        Array.Clear(_heard);
        (_ofAll, _told, _missing) = (false, false, Missing().Count());
    }

    /// <summary>This member holds the step.</summary>
    public void SayOwn() => _heard[me] = true;

    /// <summary>Why the word of the member at this position counts for nothing; null: it was counted.</summary>
    public string? Hear(int from, bool ofAll)
    {
        if (ofAll)
        {
            if (!IsTree || me == 0 || from != Parent) return "it does not stand above this worker";
            // Who speaks for all has heard this member, and whoever is below it.
            if (!_told) return "it speaks for all, but this worker has not voted";
            _ofAll = true;
            return null;
        }

        if (from == me || (IsTree && !IsBelow(from))) return "it does not report to this worker";
        if (_heard[from]) return "it has voted already";
        _heard[from] = true;
        _missing--;
        return null;
    }

    /// <summary>
    /// Whom to tell now, once for each: positions [From, End) without the own one. OfAll: the word comes down.
    /// </summary>
    public (int From, int End, bool OfAll) Next()
    {
        if (!IsTree)
        {
            if (_told || !_heard[me]) return default;
            _told = true;
            return (0, members, false);
        }

        if (IsUnanimous) return Children is var (from, end) ? (from, end, true) : default;
        if (_told || me == 0 || !_heard[me] || _missing > 0) return default;
        _told = true;
        return (Parent, Parent + 1, false);
    }

    /// <summary>
    /// Positions whose word is awaited. It may be asked by another thread, for a heartbeat: a vote that comes meanwhile
    /// may or may not show.
    /// </summary>
    public IEnumerable<int> Awaited() =>
        IsTree && _told && !_ofAll ? [Parent] : Missing();

    private IEnumerable<int> Missing()
    {
        var (from, end) = IsTree ? Children : (0, members);
        for (var at = from; at < end; at++)
            if (at != me && !_heard[at]) yield return at;
    }

    private int Parent => _tree.ParentOf(me - 1) + 1;

    private (int From, int End) Children
    {
        get
        {
            var (from, end) = _tree.ChildrenOf(me - 1);
            return (from + 1, end + 1);
        }
    }

    private bool IsBelow(int position)
    {
        var (from, end) = Children;
        return position >= from && position < end;
    }
}
