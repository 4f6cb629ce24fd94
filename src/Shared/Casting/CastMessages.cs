using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Shared.Casting;

/// <summary>What <see cref="CastProtocol"/> is told.</summary>
public abstract record CastInput;

/// <summary>
/// Cast, CastHeard, NeedRoster, RosterContent or CastAnswers of another process; no incarnation: the coordinator.
/// </summary>
public sealed record CastSaid(Incarnation From, IMessage Message) : CastInput;

public sealed record CastLinkUp(Incarnation Peer) : CastInput;

public sealed record CastLinkDown(Incarnation Peer) : CastInput;

/// <summary>Fenced, Aligned or AlignFailed of this member.</summary>
public sealed record OwnAnswer(IMessage Message) : CastInput;

/// <summary>At the coordinator: tell this to all members of the list but the gone.</summary>
public sealed record BeginCast(Cast Cast, Roster Roster) : CastInput;

/// <summary>At the coordinator: who has not answered is asked directly, whatever became of those between.</summary>
public sealed record AskSilent : CastInput;

/// <summary>The coordinator spoke to this member itself: it wants its answer the same way.</summary>
public sealed record SpokenToDirectly : CastInput;

/// <summary>The coordinator let this member go (Evict): what it cast before that is not for it any more.</summary>
public sealed record LetGo : CastInput;

public abstract record CastOutput;

/// <summary>No incarnation: to the coordinator.</summary>
public sealed record CastSend(Incarnation To, IMessage Message) : CastOutput;

/// <summary>At a member: what was cast is for it too.</summary>
public sealed record CastDeliver(Cast Cast, Roster Roster, int Position) : CastOutput;

/// <summary>A link to this member of the list is wanted; LinkUp follows, or the hop's deadline.</summary>
public sealed record CastReach(Incarnation Peer, string Address) : CastOutput;

/// <summary>At the coordinator: a member answers.</summary>
public sealed record CastAnswered(WorkerId Worker, Incarnation Incarnation, IMessage Message) : CastOutput;

public sealed record CastNote(string Text) : CastOutput;
