using Convoy.Shared.Ids;

namespace Convoy.Shared.Tensors;

/// <summary>Half-open range of slices that one worker computes.</summary>
public readonly record struct SliceRange(int From, int End)
{
    public int Count => End - From;
    public override string ToString() => $"{From}..{End}";
}

/// <summary>
/// Who computes which slices in one generation. Cuts never change bits, only work (decision 4). Member i of the sorted
/// member list has slices [Cuts[i], Cuts[i+1]).
/// </summary>
public sealed record ShareMap(int Slices, IReadOnlyList<WorkerId> Members, IReadOnlyList<int> Cuts)
{
    public SliceRange ShareOf(int memberIndex) => new(Cuts[memberIndex], Cuts[memberIndex + 1]);

    public SliceRange ShareOf(WorkerId worker) => ShareOf(IndexOf(worker));

    /// <summary>Place in the sorted list; -1: no member.</summary>
    public int IndexOf(WorkerId worker)
    {
        for (var (from, end) = (0, Members.Count); from < end;)
        {
            var middle = (from + end) / 2;
            var order = Members[middle].CompareTo(worker);
            if (order == 0) return middle;
            if (order < 0) from = middle + 1;
            else end = middle;
        }

        return -1;
    }

    /// <summary>Returns the broken rule (M4: cuts cover [0, S) exactly once), or null.</summary>
    public string? Check()
    {
        if (Cuts.Count != Members.Count + 1) return "M4 one cut more than members";
        if (Cuts[0] != 0 || Cuts[^1] != Slices) return "M4 cuts start at 0 and end at S";
        for (var i = 1; i < Cuts.Count; i++)
            if (Cuts[i] < Cuts[i - 1]) return "M4 cuts never fall";
        for (var i = 1; i < Members.Count; i++)
            if (Members[i].CompareTo(Members[i - 1]) <= 0) return "M4 members are sorted and distinct";
        return null;
    }
}
