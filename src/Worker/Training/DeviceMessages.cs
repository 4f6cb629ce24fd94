using Convoy.Autodiff.Optim;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Worker.Collectives;
using Google.Protobuf;

namespace Convoy.Worker.Training;

// Between the trainer and its device, both ways. The device does one thing at a time, in the order it is told.

internal sealed record OpenJob(JobSpec Job, Assign Assign);

/// <summary>The job runs here. Elements and slices are what the exchange is made from.</summary>
internal sealed record JobOpened(Ready Ready, int Elements, int Slices, IReadOnlyList<StateVector> States);

/// <summary>Time the operators, or no more.</summary>
internal sealed record TimeOperators(bool On);

/// <summary>For the coordinator, when there is time for it.</summary>
internal sealed record DeviceNews(IMessage Message);

internal sealed record TakeShare(EnterGeneration Generation, ExchangeLayout Layout, ExchangeLoop Exchange);

internal sealed record Align(AlignState Order);

/// <summary>A spare state, or spare chunks, and what the source said of them.</summary>
internal sealed record TakeState(AlignState Order, ModelState? Spare, PinnedVector? Chunks, StateArrived Arrived);

/// <summary>Memory for a transfer that the trainer is about to ask for.</summary>
internal sealed record SpareReady(AlignState Order, ModelState? Spare, PinnedVector? Chunks);

/// <summary>Nobody leads any more: save the whole state, whatever it is now. Answered by StateSaved.</summary>
/// <param name="Writer">Name of this worker.</param>
internal sealed record SaveAlone(string Writer);

/// <summary>Gather the samples of the coming step while the device would wait for peers.</summary>
internal sealed record ReadAhead(Generation Generation, StepNumber Step);

/// <summary>A row for the report that follows a StepApplied or a StateReady.</summary>
internal sealed record RowDone(StepRow Row);

/// <summary>
/// Where others may read this worker's state: stable while a generation waits for them; and the loss sum of its step,
/// null where this worker does not know it.
/// </summary>
/// <param name="State">Changes with the next Apply.</param>
/// <param name="Chunks">Its reduced gradient: stays as it is until the trainer tells the device to run the step after
/// the next one, whatever the device does meanwhile (S6).</param>
/// <param name="LossSum">Of the step.</param>
/// <param name="Step">The step of both, now.</param>
/// <param name="Fingerprint">H of it.</param>
/// <param name="Retains">The chunks are those of the step.</param>
internal sealed record StateView(
    ModelState State, PinnedVector Chunks, double? LossSum, StepNumber Step, Fingerprint Fingerprint, bool Retains);

/// <summary>
/// A whole checkpoint by one worker. It goes by way of the trainer, which has heard of every row of this state by then.
/// </summary>
internal sealed record WriteAlone(
    string Writer, Shared.Checkpoints.Manifest Manifest, IReadOnlyList<Shared.Checkpoints.ShardTensor> Tensors)
{
    public Shared.Checkpoints.SavedRows? Rows { get; init; }
}

internal sealed record WriteShard(
    Generation Generation, StepNumber Step, int Index, int Count, Fingerprint Fingerprint, long StallUs,
    IReadOnlyList<Shared.Checkpoints.ShardTensor> Tensors, Action Written);
