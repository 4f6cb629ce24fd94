using System.Globalization;
using System.Security.Cryptography;
using Convoy.Actors;
using Convoy.Autodiff.Checking;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Random;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;
using Convoy.Worker.Node;

namespace Convoy.Worker.Training;

/// <summary>What a device is made with.</summary>
internal sealed record DeviceOptions(
    IActorRef Trainer, IActorRef Saver, OpenModel Open, IDisk Disk, TimeProvider Time, TrainingBoard Board,
    string DeviceKind);

/// <summary>
/// The device's thread: it owns the weights. Every exception here is fatal for the worker, because the state may be
/// torn: it is reported with its stack and never told as a state (P8).
/// </summary>
internal sealed partial class DeviceActor : ReceiveActor
{
    private readonly DeviceOptions _options;
    private readonly MonotonicClock _clock;
    private readonly ShardCopies _copies = new();
    private IJobModel? _model;
    private JobSpec _job = new();
    private TrainStep? _step;
    private Fingerprint _initial;          // H_0
    private ModelState? _state;
    private StepWork[] _works = [];        // by step & 1
    private StepShare? _share;
    private BucketTracker? _buckets;
    private ExchangeLoop? _exchange;
    private StepRow _row = new();
    private Instant _startedAt;
    private Instant _computedAt;
    private Instant _appliedAt;
    private long _saveUs; // since then: the wait for room, and the copy
    private StepNumber _loaded = new(-1);
    private Generation _generation;
    private string _graphSha256 = "";
    private string _kernels = "";

    public DeviceActor(DeviceOptions options)
    {
        _options = options;
        _clock = new MonotonicClock(options.Time);
        On<OpenJob>(OnOpenJob);
        On<TakeShare>(OnTakeShare);
        On<Align>(m => OnAlign(m.Order));
        On<TakeState>(OnTakeState);
        On<RunStep>(OnRunStep);
        On<ReadAhead>(OnReadAhead);
        On<ApplyStep>(OnApplyStep);
        On<SaveShard>(OnSaveShard);
        On<SaveAlone>(OnSaveAlone);
        On<HashWeights>(OnHashWeights);
        On<TimeOperators>(m => _model?.Profile(m.On));
        On<RunEvaluation>(m => OnEvaluate(m.Request));
        ListenToLearners();
    }

    protected override void PostStop() => _model?.Dispose();

    private void On<T>(Action<T> handler) => Receive<T>(m =>
    {
        try
        {
            handler(m);
        }
        catch (Exception cause)
        {
            var code = cause is UserException user ? (int)user.Code : (int)ExitCode.Failed;
            var diagnosis = FailureDiagnosis.Of(cause).ToDiagnostic();
            Tell(new DeviceFailed(
                $"{typeof(T).Name}: {cause.Message.ReplaceLineEndings(" ")}", $"{diagnosis}\n{cause}", code));
        }
    });

    private void Tell(object message) => _options.Trainer.Tell(message, Self);

    private void OnOpenJob(OpenJob m)
    {
        var started = _clock.Now;
        try
        {
            _job = m.Job;
            var sha = SHA256.HashData(m.Assign.Graph.Span);
            if (!sha.AsSpan().SequenceEqual(m.Assign.GraphSha256.Span))
                throw new UserException(ExitCode.BadJob,
                    "the graph that arrived is not the one that was submitted: its SHA-256 differs");
            _model = _options.Open(m.Job, m.Assign.Graph.Memory);
            var plan = new StepPlan(_model.Samples, m.Job.Batch, m.Job.Slices);
            var order = new SampleOrder(m.Job.Seed, _model.Samples);
            _step = new TrainStep(_model, plan, order, m.Job.Clip.GlobalNorm, _clock);
            var kernels = _model.Library.Length == 0 ? _options.DeviceKind
                : $"{_options.DeviceKind} with {_model.Library}";
            _initial = FingerprintChain.Start(m.Job.Seed, sha, m.Job.Slices, kernels);
            (_graphSha256, _kernels) = (Convert.ToHexStringLower(sha), kernels);
            _works = [new StepWork(_model.Elements, m.Job.Slices), new StepWork(_model.Elements, m.Job.Slices)];
            Tell(new JobOpened(new Ready
            {
                JobId = m.Assign.JobId, Samples = _model.Samples, TestSamples = _model.TestSamples,
                DataSha256 = Google.Protobuf.ByteString.CopyFrom(_model.DataSha256),
                InitialFingerprint = _initial.Value, Kernels = kernels,
                PrepareMs = (long)(_clock.Now - started).TotalMilliseconds,
            }, _model.Elements, m.Job.Slices, _model.States));
        }
        catch (UserException cause)
        {
            Tell(new JobRefused(new PrepareFailed
            {
                JobId = m.Assign.JobId, Text = cause.Message, ExitCode = (int)cause.Code,
            }));
        }
    }

    private void OnTakeShare(TakeShare m)
    {
        var shares = m.Generation.Shares;
        var me = shares.IndexOf(m.Exchange.Me);
        _generation = m.Generation.Generation;
        _exchange = m.Exchange;
        _saveUs = 0;
        _share = new StepShare(shares, me, m.Layout, _share);
        _buckets = new BucketTracker(m.Layout, [.. _model!.Parameters.Select(p => (p.Offset, p.Length))]);
        _loaded = new StepNumber(-1);
        CutFeed(m.Generation, me);
    }

    // ---- Alignment: to have state T ----

    private void OnAlign(AlignState m)
    {
        switch (m.Action)
        {
            case AlignAction.Keep: SayReady(m, Retains(m.Target)); break;
            case AlignAction.ApplyHeld: ApplyHeld(m); break;
            case AlignAction.Initialize: Initialize(m); break;
            case AlignAction.LoadCheckpoint: LoadCheckpoint(m); break;
            case AlignAction.FetchChunks: Tell(new SpareReady(m, null, new PinnedVector(_model!.Elements))); break;
            case AlignAction.LoadSnapshot: Tell(new SpareReady(m, NewState(), null)); break;
            default: Tell(new StateFailed(m.Generation, $"action {m.Action} is unknown")); break;
        }
    }

    private bool Retains(StepNumber step) =>
        _works[step.Value & 1] is { Applied: true } work && work.Step == step;

    private ModelState NewState() => new(_model!.Elements, _model.States);

    private void SayReady(AlignState m, bool retains)
    {
        if (_state is null || _state.Step != m.Target)
        {
            Tell(new StateFailed(m.Generation,
                $"the state here is of step {_state?.Step.Value ?? -1}, not {m.Target}"));
            return;
        }

        Tell(ViewOf(_state));
        // Again, or by who fetched the step: the first report may have come from a worker that was let go, or never
        // (S5).
        if (LossOfState() is not null) Tell(new RowDone(_row));
        Tell(new StateReady(m.Generation, _state.Step, _state.Fingerprint, retains));
        // A learner that asked while this member had no state yet was not answered: its feed begins here.
        if (_feeds) Tell(new FeedingFrom(_generation, _state.Step, _lastStepUs));
        Self.Tell(new ReadAhead(m.Generation, _state.Step.Next), Self);
    }

    private void ApplyHeld(AlignState m)
    {
        var work = _works[m.Target.Value & 1];
        if (_state is null || work.Step != m.Target || !work.Held || _state.Step.Next != m.Target)
        {
            Tell(new StateFailed(m.Generation, $"step {m.Target} is not held here"));
            return;
        }

        _step!.Apply(_state, work, _row);
        FeedLearners(work);
        FinishRow();
        SayReady(m, retains: true);
    }

    private void Initialize(AlignState m)
    {
        var state = NewState();
        _model!.Initialize(state.Weights.Span);
        (state.Step, state.Fingerprint) = (StepNumber.Zero, _initial);
        _state = state;
        SayReady(m, retains: false);
    }

    private void LoadCheckpoint(AlignState m)
    {
        try
        {
            var checkpoint = Checkpoint.Open(_options.Disk, m.CheckpointPath);
            if (checkpoint.Manifest.Step != m.Target.Value)
                throw new UserException(ExitCode.BadCheckpoint,
                    $"{m.CheckpointPath}: it has step {checkpoint.Manifest.Step}, {m.Target} is wanted");
            var state = NewState();
            checkpoint.Load([.. state.Tensors(_model!).GroupBy(t => t.Vector).Select(g => new FlatVector(
                g.Key.Floats, [.. g.Select(t => new FlatSlot(t.Tensor.Name, t.Tensor.Shape, t.Offset))]))]);
            state.Step = m.Target;
            state.Fingerprint = new Fingerprint(ulong.Parse(checkpoint.Manifest.Fingerprint, NumberStyles.HexNumber,
                CultureInfo.InvariantCulture));
            _state = state;
            SayReady(m, retains: false);
        }
        catch (Exception cause) when (cause is UserException or IOException)
        {
            Tell(new StateFailed(m.Generation, cause.Message));
        }
    }

    private void OnTakeState(TakeState m)
    {
        var vectors = m.Arrived.Request.Vectors;
        if (!StateMeta.DigestOf(vectors).AsSpan().SequenceEqual(m.Arrived.Meta.Digest))
        {
            Tell(new StateFailed(m.Order.Generation,
                $"the state from {m.Order.Source} has another digest than its donor's"));
            return;
        }

        if (m.Spare is { } spare)
        {
            (spare.Step, spare.Fingerprint) = (m.Order.Target, m.Arrived.Meta.Fingerprint);
            _state = spare;
            SayReady(m.Order, retains: false);
            return;
        }

        ApplyFetched(m.Order, m.Chunks!, m.Arrived.Meta);
    }

    private void ApplyFetched(AlignState m, PinnedVector chunks, StateMeta meta)
    {
        if (_state is null || _state.Step.Next != m.Target)
        {
            Tell(new StateFailed(m.Generation,
                $"chunks of step {m.Target} do not follow state {_state?.Step.Value ?? -1}"));
            return;
        }

        var work = _works[m.Target.Value & 1];
        chunks.Span.CopyTo(work.Reduced.Span);
        FingerprintChain.Checksums(chunks.Span, work.Checksums);
        // Checked before a weight is touched: other bits must not get into the state (S4).
        if (FingerprintChain.Next(_state.Fingerprint, m.Target, work.Checksums) != meta.Fingerprint)
        {
            Tell(new StateFailed(m.Generation,
                $"the chunks of step {m.Target} from {m.Source} lead to another fingerprint than {meta.Fingerprint}"));
            return;
        }

        var samples = _step!.SamplesOf(m.Target.Value);
        _share!.Begin(work, samples, _state.Fingerprint);
        _row = new StepRow { Step = m.Target.Value, Samples = samples.Count };
        _step.Apply(_state, work, _row);
        FeedLearners(work);
        if (meta.LossSum is { } loss) _row.LossSum = loss;
        else _row = new StepRow();

        SayReady(m, retains: true);
    }

    private StateView ViewOf(ModelState state) => new(state, _works[state.Step.Value & 1].Reduced, LossOfState(),
        state.Step, state.Fingerprint, Retains(state.Step));

    private double? LossOfState() => _row.Step == _state!.Step.Value && _row.Step > 0 ? _row.LossSum : null;

    // ---- Steps ----

    private void OnRunStep(RunStep m)
    {
        Invariant.Check(m.Generation == _generation && _state!.Step.Next == m.Step,
            "S4 the device runs the step after its state");
        _startedAt = _clock.Now;
        if (!_exchange!.IsStopped(m.Generation))
        {
            if (_loaded != m.Step) _step!.Load(_share!, m.Step.Value);
            _loaded = new StepNumber(-1);
            _row = _step!.Compute(_share!, _state!, _works[m.Step.Value & 1], _buckets!, _exchange);
            (_row.SaveUs, _saveUs) = (_saveUs, 0);
        }

        _computedAt = _clock.Now;
        _options.Board.NoteKernel((long)(_computedAt - _startedAt).TotalMilliseconds);
        Tell(new StepComputed(m.Generation, m.Step));
        Self.Tell(new ReadAhead(m.Generation, m.Step.Next), Self);
    }

    private void OnReadAhead(ReadAhead m)
    {
        if (m.Generation != _generation || _loaded == m.Step) return;
        _step!.Load(_share!, m.Step.Value);
        _loaded = m.Step;
    }

    private void OnApplyStep(ApplyStep m)
    {
        var work = _works[m.Step.Value & 1];
        Invariant.Check(work.Held && work.Step == m.Step && _state!.Step.Next == m.Step,
            "S4 the step that is held is applied");
        var held = _clock.Now;
        NoteStepTime(held);
        _step!.Apply(_state!, work, _row);
        _row.SyncUs = Math.Max(0, (held - _computedAt).Ticks / 10);
        FinishRow();
        _appliedAt = _clock.Now;
        Tell(ViewOf(_state!));
        Tell(new StepApplied(m.Generation, m.Step, _state!.Fingerprint));
        FeedLearners(work);
        while (_model!.TakeNews(m.Step.Value) is { } news) Tell(new DeviceNews(news));
    }

    private void FinishRow()
    {
        _row.TotalUs = (_clock.Now - _startedAt).Ticks / 10;
        Tell(new RowDone(_row));
    }

    // ---- Saves, hashes, tests ----

    private void OnSaveShard(SaveShard m)
    {
        // At the boundary, on the device's thread: the copy is the only time that a save takes from a step.
        var started = _clock.Now;
        var tensors = _state!.Tensors(_model!).ToList();
        var (from, end) = ShardPlan.Divide([.. tensors.Select(t => t.Tensor)], m.Count)[m.Index];
        var own = tensors[from..end];
        var copy = _copies.Rent(checked((int)own.Sum(t => t.Tensor.Shape.Count)));
        var at = 0;
        var copies = own.ConvertAll(t =>
        {
            var values = copy.AsMemory(at, (int)t.Tensor.Shape.Count);
            t.Vector.Span.Slice((int)t.Offset, values.Length).CopyTo(values.Span);
            at += values.Length;
            return new ShardTensor(t.Tensor.Name, t.Tensor.Shape, values);
        });
        var copied = _clock.Now;
        _saveUs = (copied - _appliedAt).Ticks / 10;
        _options.Saver.Tell(new WriteShard(m.Generation, m.Step, m.Index, m.Count, _state!.Fingerprint,
            (copied - started).Ticks / 10, copies, () => _copies.GiveBack(copy)), Self);
    }

    /// <summary>
    /// 4.5 row 9: nobody leads and nobody will publish, so this worker writes and publishes all of its state by itself,
    /// under the members' name for it: orphans of one step write the same bits.
    /// </summary>
    private void OnSaveAlone(SaveAlone m)
    {
        if (_state is null || _state.Step.Value <= 0) { Tell(new StateSaved("")); return; }
        var tensors = _state.Tensors(_model!).Select(t => new ShardTensor(t.Tensor.Name, t.Tensor.Shape,
            t.Vector.Span.Slice((int)t.Offset, (int)t.Tensor.Shape.Count).ToArray())).ToList();
        var manifest = new Manifest
        {
            Step = _state.Step.Value, Generation = _generation.Value, Fingerprint = _state.Fingerprint.ToString(),
            Seed = _job.Seed, Job = _job, GraphSha256 = _graphSha256,
            DataSha256 = Convert.ToHexStringLower(_model!.DataSha256), Optimizer = _job.Optimizer.Kind,
            DeviceKind = _kernels, SavedBy = new SavedBy { Host = Environment.MachineName, Build = BuildId.Current },
        };
        Tell(new WriteAlone(m.Writer, manifest, tensors));
    }

    private void OnHashWeights(HashWeights m) => Tell(new WeightsHashed(m.Generation, m.Step, WeightsHash.Of(
        _model!.Parameters.Select(p =>
            (p.Name, (ReadOnlyMemory<float>)_state!.Weights.Floats.Slice((int)p.Offset, (int)p.Length))))));

    private void OnEvaluate(Evaluate m)
    {
        var result = new Evaluated { Generation = m.Generation, Step = m.Step };
        if (_state is null || _state.Step.Value != m.Step)
        {
            result.Error = $"the state here is of step {_state?.Step.Value ?? -1}";
        }
        else if (_model!.TestSamples == 0)
        {
            result.Error = "the job has no test data";
        }
        else
        {
            var test = _model.Evaluate(_model.WeightsForTests(_state.Weights.Span, _state.OptimizerMemory));
            result.Metrics["test_loss"] = test.LossSum / test.Weight;
            if (test.Counted > 0) result.Metrics["test_accuracy"] = test.Correct / (double)test.Counted;
        }

        Tell(new EvaluationEnded(result));
    }
}
