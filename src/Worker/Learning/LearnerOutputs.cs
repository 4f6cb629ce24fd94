using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Worker.Learning;

/// <summary>What <see cref="LearnerProtocol"/> is told.</summary>
internal abstract record LearnerInput;

/// <summary>From the coordinator: the members of now, and the state that this worker holds itself.</summary>
internal sealed record LearnFrom(Learn Message, StepNumber State, Fingerprint Fingerprint) : LearnerInput;

/// <summary>A generation opens with this worker as a member that follows its feed to the start state.</summary>
internal sealed record FinishAt(Generation Generation, StepNumber Target, IReadOnlyList<Member> Members) : LearnerInput;

/// <summary>Whatever this worker does now, it is no learner's work.</summary>
internal sealed record GiveUpLearning(string Why) : LearnerInput;

internal sealed record TeacherSaid(Incarnation From, IMessage Message) : LearnerInput;

internal sealed record TeacherLinked(Incarnation Teacher) : LearnerInput;

internal sealed record TeacherGone(Incarnation Teacher, string Why) : LearnerInput;

/// <summary>A frame of the copy is in its place.</summary>
internal sealed record FrameIn(Incarnation From, StepNumber Step, int Frame, int Epoch) : LearnerInput;

/// <summary>A piece of a step is in its place.</summary>
internal sealed record PieceIn(Incarnation From, FeedHeader Piece, int Epoch) : LearnerInput;

/// <summary>A feed frame is taken whole; its sender had applied this step when it sent it.</summary>
internal sealed record FeedFrameIn(Incarnation From, StepNumber Newest) : LearnerInput;

/// <summary>What came cannot be used: memory is full, or it is no piece.</summary>
internal sealed record FeedBroken(Incarnation From, string Why) : LearnerInput;

/// <summary>The device has the copied state: its digest is the donor's.</summary>
internal sealed record CopyTaken(StepNumber Step, Fingerprint Fingerprint) : LearnerInput;

internal sealed record CopyRefused(StepNumber Step, string Why) : LearnerInput;

/// <summary>The device has applied the step; H is what its members have.</summary>
internal sealed record FedApplied(StepNumber Step, Fingerprint Fingerprint) : LearnerInput;

/// <summary>The pieces of the step lead to another H than the members'; no weight was touched.</summary>
internal sealed record FedDiffers(StepNumber Step, Fingerprint Theirs, Fingerprint Ours) : LearnerInput;

/// <summary>The step waited on disk, and cannot be read there.</summary>
internal sealed record FedUnreadable(StepNumber Step, string Why) : LearnerInput;

internal abstract record LearnerOutput;

internal sealed record TellTeacher(Incarnation To, IMessage Message) : LearnerOutput;

internal sealed record TellLeader(IMessage Message) : LearnerOutput;

/// <summary>Links to exactly these, dialled from here.</summary>
internal sealed record LinkTeachers(IReadOnlyList<Member> Members) : LearnerOutput;

/// <summary>Spare memory for a copy; frames of this step may come from now on.</summary>
internal sealed record BeginCopy(StepNumber Step) : LearnerOutput;

/// <summary>To the device: compare the digest, then it is the state.</summary>
internal sealed record TakeCopy(StepNumber Step, Fingerprint Fingerprint, byte[] Digest) : LearnerOutput;

/// <summary>To the device: apply the whole step that was fed, if it leads to this H.</summary>
internal sealed record ApplyFed(StepNumber Step, Fingerprint Expected) : LearnerOutput;

/// <summary>Pieces up to this step are not needed any more, nor taken again.</summary>
internal sealed record ForgetSteps(StepNumber UpTo) : LearnerOutput;

/// <summary>All pieces and the copy go; what was on its way here belongs to an older epoch.</summary>
internal sealed record ClearMemory(int Epoch, bool TakesMore) : LearnerOutput;

/// <summary>The start state of the generation is reached.</summary>
internal sealed record FinishReached(Generation Generation) : LearnerOutput;

internal sealed record FinishFailed(Generation Generation, string Why) : LearnerOutput;

/// <summary>The state here cannot be trusted: it is not reported any more.</summary>
internal sealed record DropState : LearnerOutput;

internal sealed record LearnerNote(string Text) : LearnerOutput;
