using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

// What happens around StepProtocol, beside the control messages of Shared/Protocol. Every result names the generation
// and the step that it belongs to: a result of another pair is refused by name, never applied to the present one.

/// <summary>The device opened the data and compiled the graph of the assigned job.</summary>
internal sealed record JobPrepared(Ready Ready);

/// <summary>The job cannot run here.</summary>
internal sealed record JobRefused(PrepareFailed Failure);

/// <summary>Every member of the generation is linked to this worker, both lanes.</summary>
internal sealed record PeersLinked(Generation Generation);

/// <summary>The link to a member broke and did not come back in time.</summary>
internal sealed record PeerLost(WorkerId About, Incarnation Incarnation, SuspectEvidence Evidence, string Text);

/// <summary>An alignment action ended: this worker holds the whole state of <paramref name="Step"/>.</summary>
/// <param name="Retains">The reduced chunks of the step are kept here as well.</param>
internal sealed record StateReady(Generation Generation, StepNumber Step, Fingerprint Fingerprint, bool Retains);

/// <summary>An alignment action failed or was cancelled; the state is what it was before.</summary>
internal sealed record StateFailed(Generation Generation, string Text);

/// <summary>Forward and backward of the step are done; all its gradients are with the exchange.</summary>
internal sealed record StepComputed(Generation Generation, StepNumber Step);

/// <summary>Every reduced chunk and every member's scalars of the step are here and verified.</summary>
internal sealed record StepHeld(Generation Generation, StepNumber Step);

/// <summary>The exchange of the generation is cancelled: no frame of it changes memory any more (M9).</summary>
internal sealed record ExchangeStopped(Generation Generation);

/// <summary>The optimizer ran (or the step was skipped): weights and optimizer state are those of the step.</summary>
internal sealed record StepApplied(Generation Generation, StepNumber Step, Fingerprint Fingerprint);

/// <summary>The writer ended a shard; one of the two is set.</summary>
internal sealed record ShardEnded(Generation Generation, StepNumber Step, ShardSaved? Saved, ShardFailed? Failed);

/// <summary>The longest wait for room for the save of this state is over.</summary>
internal sealed record RoomOverdue(Generation Generation, StepNumber Step);

internal sealed record WeightsHashed(Generation Generation, StepNumber Step, byte[] Sha256);

internal sealed record EvaluationEnded(Evaluated Result);

/// <summary>The device cannot go on: its state may be torn, so it must not be reported any more (P8).</summary>
internal sealed record DeviceFailed(string Text, string Detail, int ExitCode);

/// <summary>A peer or the exchange saw another history than ours.</summary>
internal sealed record HistoryDiffers(WorkerId With, StepNumber Step, Fingerprint Theirs, Fingerprint Ours);

/// <summary>A coordinator admitted this worker again: repeat what it may have missed.</summary>
internal sealed record CoordinatorBack(LeaderToken Token);

/// <summary>Device, exchange and writer have ended.</summary>
internal sealed record WorkStopped;

/// <summary>
/// The state that was reported is not here any more: a learner has put another in its place. What it learns is not its
/// own until a generation opens with it, because the members may not have reported the steps up to there yet (S5).
/// </summary>
internal sealed record StateReplaced;
