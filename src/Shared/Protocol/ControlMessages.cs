using Google.Protobuf;

namespace Convoy.Shared.Protocol;

/// <summary>
/// The only control messages that cross a wire, with their numbers. There are no type names on the wire: an unknown
/// number is refused (decision 11). Numbers are never reused.
/// </summary>
public static class ControlMessages
{
    private static readonly (ushort Id, MessageParser Parser, Type Type)[] Table =
    [
        (1, Hello.Parser, typeof(Hello)),
        (2, Welcome.Parser, typeof(Welcome)),
        (3, Refuse.Parser, typeof(Refuse)),
        (4, Assign.Parser, typeof(Assign)),
        (5, Ready.Parser, typeof(Ready)),
        (6, PrepareFailed.Parser, typeof(PrepareFailed)),
        (7, Beat.Parser, typeof(Beat)),
        (8, Suspect.Parser, typeof(Suspect)),
        (9, Fence.Parser, typeof(Fence)),
        (10, Fenced.Parser, typeof(Fenced)),
        (11, Open.Parser, typeof(Open)),
        (12, Aligned.Parser, typeof(Aligned)),
        (13, AlignFailed.Parser, typeof(AlignFailed)),
        (14, Evict.Parser, typeof(Evict)),
        (15, Drain.Parser, typeof(Drain)),
        (16, Release.Parser, typeof(Release)),
        (17, Stale.Parser, typeof(Stale)),
        (18, Cast.Parser, typeof(Cast)),
        (19, CastHeard.Parser, typeof(CastHeard)),
        (20, NeedRoster.Parser, typeof(NeedRoster)),
        (21, RosterContent.Parser, typeof(RosterContent)),
        (22, CastAnswers.Parser, typeof(CastAnswers)),
        (32, StepReport.Parser, typeof(StepReport)),
        (33, StepDone.Parser, typeof(StepDone)),
        (34, ShardSaved.Parser, typeof(ShardSaved)),
        (35, ShardFailed.Parser, typeof(ShardFailed)),
        (36, ReachedEnd.Parser, typeof(ReachedEnd)),
        (37, Evaluate.Parser, typeof(Evaluate)),
        (38, Evaluated.Parser, typeof(Evaluated)),
        (39, WorkerFailed.Parser, typeof(WorkerFailed)),
        (40, NeedState.Parser, typeof(NeedState)),
        (41, Profile.Parser, typeof(Profile)),
        (42, Profiled.Parser, typeof(Profiled)),
        (43, RecomputeReviewed.Parser, typeof(RecomputeReviewed)),
        (44, Complete.Parser, typeof(Complete)),
        (45, StepLate.Parser, typeof(StepLate)),
        (46, SaveSettled.Parser, typeof(SaveSettled)),
        (48, Revocations.Parser, typeof(Revocations)),
        (49, Coordinators.Parser, typeof(Coordinators)),
        (64, Learn.Parser, typeof(Learn)),
        (65, LearnerReport.Parser, typeof(LearnerReport)),
        (66, FeedAsk.Parser, typeof(FeedAsk)),
        (67, FeedBegins.Parser, typeof(FeedBegins)),
        (68, FeedEnds.Parser, typeof(FeedEnds)),
        (69, NeedChunks.Parser, typeof(NeedChunks)),
        (70, ChunksGone.Parser, typeof(ChunksGone)),
        (71, SnapAsk.Parser, typeof(SnapAsk)),
        (72, SnapOffer.Parser, typeof(SnapOffer)),
        (73, SnapGet.Parser, typeof(SnapGet)),
        (74, SnapEnds.Parser, typeof(SnapEnds)),
        (75, ChunkHeard.Parser, typeof(ChunkHeard)),
    ];

    private static readonly Dictionary<Type, ushort> Ids = Table.ToDictionary(r => r.Type, r => r.Id);
    private static readonly MessageParser?[] Parsers = BuildParsers();

    public static IEnumerable<(ushort Id, Type Type)> All => Table.Select(r => (r.Id, r.Type));

    /// <summary>Number of a message type; 0 when it does not travel.</summary>
    public static ushort IdOf(IMessage message) => Ids.GetValueOrDefault(message.GetType());

    public static MessageParser? ParserOf(int id) => (uint)id < (uint)Parsers.Length ? Parsers[id] : null;

    private static MessageParser?[] BuildParsers()
    {
        var parsers = new MessageParser?[Table.Max(r => r.Id) + 1];
        foreach (var row in Table) parsers[row.Id] = row.Parser;
        return parsers;
    }
}
