using Convoy.Shared.Ids;

namespace Convoy.Shared.Casting;

/// <summary>Processes that are linked to this one. Looked up only, never walked: their order means nothing.</summary>
internal sealed class CastLinks
{
    private readonly HashSet<Incarnation> _up = [];

    public void Up(Incarnation peer) => _up.Add(peer);

    public void Down(Incarnation peer) => _up.Remove(peer);

    public bool IsUp(Incarnation peer) => _up.Contains(peer);
}
