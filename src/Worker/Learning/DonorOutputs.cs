using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Training;
using Google.Protobuf;

namespace Convoy.Worker.Learning;

/// <summary>What <see cref="DonorProtocol"/> is told.</summary>
internal abstract record DonorInput;

/// <summary>A worker that may be a learner says something.</summary>
internal sealed record PupilSaid(Incarnation From, IMessage Message) : DonorInput;

internal sealed record PupilLinked(Incarnation Pupil) : DonorInput;

internal sealed record PupilGone(Incarnation Pupil, string Why) : DonorInput;

/// <summary>This worker enters a generation; learners are fed from its start on, joiners to its start.</summary>
internal sealed record DonorEntered(
    Generation Generation, StepNumber Start, IReadOnlyList<Member> Members,
    IReadOnlyList<Member> Learners) : DonorInput;

/// <summary>This worker is no member any more.</summary>
internal sealed record DonorLeft : DonorInput;

/// <summary>The device feeds every step after this state.</summary>
internal sealed record FeedingFrom(Generation Generation, StepNumber State, long StepUs) : DonorInput;

/// <summary>The device has applied a step; these are the pieces of this worker's part.</summary>
internal sealed record StepFed(StepNumber Step, IReadOnlyList<FeedRecord> Records) : DonorInput;

/// <summary>Pieces that a learner asked for; none: the step is not kept any more.</summary>
internal sealed record ChunksCopied(
    Incarnation For, StepNumber Step, IReadOnlyList<FeedRecord> Records) : DonorInput;

/// <summary>The device has copied its state at a boundary, and its digest is known.</summary>
internal sealed record SnapshotCopied(ModelState Copy, byte[] Digest) : DonorInput;

internal abstract record DonorOutput;

/// <summary>To the device: begin or end to copy this worker's part of every step.</summary>
internal sealed record KeepFeeding(bool On) : DonorOutput;

/// <summary>To the device: copy the state, the first one that is not older.</summary>
internal sealed record CopySnapshot(StepNumber AtLeast) : DonorOutput;

/// <summary>To the device: a piece of a step that it may still keep.</summary>
internal sealed record CopyChunks(Incarnation For, StepNumber Step, long Offset, long Count) : DonorOutput;

internal sealed record TellPupil(Incarnation To, IMessage Message) : DonorOutput;

internal sealed record SendRecords(Incarnation To, IReadOnlyList<FeedRecord> Records) : DonorOutput;

/// <summary>So many elements of a vector of the copy.</summary>
internal sealed record SendFrame(
    Incarnation To, ModelState Copy, int Vector, long Offset, int Length) : DonorOutput;

/// <summary>The learner does not read any more: its link is closed, whatever is on its way there.</summary>
internal sealed record DropPupil(Incarnation Pupil, string Why) : DonorOutput;

internal sealed record DonorNote(string Text) : DonorOutput;
