using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Google.Protobuf;

namespace Convoy.Worker.Training;

internal abstract record StepOutput;

internal sealed record TellCoordinator(IMessage Message) : StepOutput;

/// <summary>To every other member of the generation.</summary>
internal sealed record TellMembers(IMessage Message) : StepOutput;

/// <summary>To the members at positions [From, End) of the generation's list.</summary>
internal sealed record TellSome(int From, int End, IMessage Message) : StepOutput;

internal sealed record PrepareJob(Assign Assign) : StepOutput;

/// <summary>Links to exactly these members; the exchange and the device learn shares and layout.</summary>
internal sealed record EnterGeneration(
    Generation Generation, StepNumber Start, ShareMap Shares, IReadOnlyList<Member> Members,
    IReadOnlyList<Member> Learners) : StepOutput;

internal sealed record DropPeers : StepOutput;

internal sealed record AlignState(
    Generation Generation, StepNumber Target, AlignAction Action, WorkerId Source, string CheckpointPath,
    Fingerprint Expected) : StepOutput;

/// <summary>Answered by StateReady or StateFailed, as the action itself would be.</summary>
internal sealed record CancelAlign(Generation Generation) : StepOutput;

/// <summary>Compute the step's slices and begin its exchange.</summary>
internal sealed record RunStep(Generation Generation, StepNumber Step) : StepOutput;

/// <summary>Answered by ExchangeStopped.</summary>
internal sealed record StopExchange(Generation Generation) : StepOutput;

internal sealed record ApplyStep(Generation Generation, StepNumber Step) : StepOutput;

internal sealed record SaveShard(Generation Generation, StepNumber Step, int Index, int Count) : StepOutput;

/// <summary>The step after this one waits for room for a save: RoomOverdue ends that.</summary>
internal sealed record AwaitRoom(Generation Generation, StepNumber Step) : StepOutput;

internal sealed record HashWeights(Generation Generation, StepNumber Step) : StepOutput;

internal sealed record RunEvaluation(Evaluate Request) : StepOutput;

internal sealed record ServeState(WorkerId To, Generation Generation, StepNumber Step, bool ChunksOnly) : StepOutput;

/// <summary>Tell a joiner that what it asked for is not here.</summary>
internal sealed record DeclineState(WorkerId To, Generation Generation, StepNumber Step) : StepOutput;

/// <summary>Greet the coordinator again: this worker is a warm learner now.</summary>
internal sealed record SayHello : StepOutput;

/// <summary>End device, exchange and writer, then the process.</summary>
internal sealed record StopWork(int ExitCode, string Reason) : StepOutput;

/// <summary>Something was ignored or is worth a line in the log.</summary>
internal sealed record Note(string Text) : StepOutput;

/// <summary>What one call of the protocol wants done, in order. The shell empties it after each call.</summary>
internal sealed class StepOutbox
{
    private readonly List<StepOutput> _outputs = [];

    public IReadOnlyList<StepOutput> Outputs => _outputs;

    public void Add(StepOutput output) => _outputs.Add(output);

    public void Tell(IMessage message) => _outputs.Add(new TellCoordinator(message));

    public void Note(string text) => _outputs.Add(new Note(text));

    public void Clear() => _outputs.Clear();
}
