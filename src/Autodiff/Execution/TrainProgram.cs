using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// A compiled model: forward and gradients over a share of slices in one batched pass, evaluation, logits. Nothing is
/// allocated once a form of step (rows per slice, share) was seen. Not for two threads at a time.
/// </summary>
public sealed partial class TrainProgram : IDisposable
{
    private const int BindingsMax = 32;
    private Compilation _compiled;
    private ProgramPlan _plan;
    private Arena _arena;
    private ProgramMemory _memory;
    private readonly List<Binding> _bindings = [];
    private MemoryHandle[] _pins = [];
    private float[] _staging = [];
    private bool _staged;
    private readonly RunningStatistics _running;
    private readonly ParameterSlot[] _statistics;

    private TrainProgram(Compilation compiled, int rowsMax)
    {
        _compiled = compiled;
        RowsMax = rowsMax;
        _plan = compiled.Training;
        _arena = ArenaFor(compiled);
        _memory = new ProgramMemory(_plan, _arena);
        Inputs = [.. _plan.Graph.Inputs.Select(SpecOf)];
        _running = RunningStatistics.Of(compiled.Forward, Layout);
        _statistics = [.. _running.Slots];
        WeightPerSample = _plan.Graph.TypeOf(_plan.Graph.Output(LossRows.Name)!.Value).Coefficient;
    }

    /// <summary>Samples of the largest call.</summary>
    public int RowsMax { get; }
    /// <summary>Seed of the random numbers of training steps, such as dropout: that of the job.</summary>
    public ulong Seed { get => _memory.Context.Seed; set => _memory.Context.Seed = value; }
    /// <summary>Parameters that follow the data by a rule of their own; no optimizer may touch them.</summary>
    public IReadOnlyList<ParameterSlot> Statistics => _statistics;
    /// <summary>Where each parameter lies in the vectors of weights and gradients.</summary>
    public ParameterLayout Layout => _plan.Layout;
    /// <summary>What <see cref="CreateBatch"/> makes buffers for.</summary>
    public IReadOnlyList<InputSpec> Inputs { get; }
    /// <summary>Elements of the loss per sample: 1, or the tokens of a sequence.</summary>
    public double WeightPerSample { get; }
    /// <summary>Bytes of the planned memory, and what it would be without reuse.</summary>
    public (long Planned, long WithoutReuse) MemoryBytes => (_plan.Memory.TotalBytes, _plan.Memory.BytesWithoutReuse);

    /// <summary>Bytes that the program holds now, and the scratch of its kernels on the calling thread.</summary>
    public ProgramMemoryUse MemoryHeld => new(
        _arena.Storage.Bytes,
        _bindings.Sum(b => b.Bytes) + (_evaluation?.Bytes ?? 0) + (_staging.Length * sizeof(float)),
        KernelScratch.ThreadBytes);

    internal ProgramPlan Plan => _plan;

    internal Compilation Compiled => _compiled;

    /// <summary>Profiles that are on; the last one times the steps.</summary>
    internal List<ProgramProfile> Profilers { get; } = [];

    /// <summary>The profile that training steps are timed in, or null.</summary>
    internal ProgramProfile? Profiler => Profilers.Count == 0 ? null : Profilers[^1];

    /// <summary>What the passes and the plan did.</summary>
    public CompileReport Report => _compiled.Report;

    /// <summary>Makes the gradient graph, runs the passes, plans and reserves the memory.</summary>
    /// <param name="forward">A graph with the output loss_sum: a sum over all elements of something per sample.</param>
    /// <param name="rowsMax">Samples of the largest call.</param>
    /// <param name="options">Choices that keep every bit; null: the defaults.</param>
    /// <exception cref="GraphException">The graph breaks a rule, or a budget of memory cannot be kept.</exception>
    public static TrainProgram Compile(Graph forward, int rowsMax, CompileOptions? options = null) =>
        new(Compilation.Of(forward, rowsMax, options ?? CompileOptions.Default), rowsMax);

    internal static TrainProgram Of(Compilation compiled, int rowsMax) => new(compiled, rowsMax);

    /// <summary>Training steps that were run to their end.</summary>
    public long Runs { get; private set; }

    /// <summary>Forms of step (rows per slice, share) that have memory now; the oldest of 32 gives way.</summary>
    public int Forms => _bindings.Count;

    /// <summary>What <see cref="Compile"/> would come to, without the memory.</summary>
    public static CompileReport Describe(Graph forward, int rowsMax, CompileOptions? options = null) =>
        Compilation.Of(forward, rowsMax, options ?? CompileOptions.Default).Report;

    /// <summary>
    /// The values of <see cref="Statistics"/> after a step, one after the other: a function of the weights before it
    /// and of the sums over all <paramref name="samples"/> of the step that lie where their gradients would.
    /// </summary>
    public void FollowStatistics(
        ReadOnlySpan<float> before, ReadOnlySpan<float> sums, double samples, Span<float> values)
    {
        CheckFlat(before.Length);
        CheckFlat(sums.Length);
        _running.Follow(before, sums, samples, values);
    }

    /// <summary>Buffers for so many samples of the program's inputs.</summary>
    public BatchBuffer CreateBatch(int rowsMax) => new(Inputs, rowsMax);

    /// <summary>First weights: a function of (seed, parameter, element); the gaps of the layout are zeros.</summary>
    public void Initialize(ulong seed, Span<float> weights)
    {
        CheckFlat(weights.Length);
        weights.Clear();
        for (var i = 0; i < Layout.Slots.Count; i++)
        {
            var slot = Layout.Slots[i];
            var to = weights.Slice((int)slot.Offset, (int)slot.Length);
            var init = ParameterInit.From(_compiled.Forward.Parameters[i].Attributes);
            var stream = new RandomStream(seed, RandomPurpose.InitialWeights, (ulong)i);
            if (init.Kind == "normal") stream.FillNormal(to, 0, init.Value);
            else if (init.Kind == "uniform") stream.FillUniform(to, 0, (float)-init.Value, (float)init.Value);
            else to.Fill((float)init.Value);
        }
    }

    /// <summary>
    /// One step over a share: gradients per node of the cover (each a vector in the layout), loss sum per slice of
    /// the share.
    /// </summary>
    /// <param name="step">Number of the step, the counter of random operators.</param>
    public unsafe void Run(
        BatchBuffer batch, StepSlices slices, long step, ReadOnlySpan<float> weights,
        IReadOnlyList<Memory<float>> nodeGradients, Span<double> sliceLoss, IGradientObserver? observer)
    {
        CheckCall(batch, slices, weights, nodeGradients, sliceLoss);
        var stride = PinGradients(nodeGradients);
        try
        {
            fixed (float* first = weights)
            {
                _memory.Weights.Bind(first, weights.Length * sizeof(float));
                BindInputs(_memory, batch);
                (_memory.Context.Step, _memory.Context.FirstPosition) = (step, batch.FirstPosition + batch.FirstRow);
                if (FindsAnomalies) RequireNumbers(weights, step);
                var binding = BindingOf(slices, stride);
                ClearUnused(nodeGradients, observer);
                var profiler = Profiler;
                profiler?.BeginRun(slices);
                for (var i = 0; i < binding.Steps.Length; i++)
                {
                    profiler?.BeginStep();
                    binding.Steps[i].Run();
                    profiler?.EndStep(i);
                    if (FindsAnomalies) RequireNumbers(i, binding.Steps[i], step);
                    foreach (var slot in binding.Steps[i].Ready) Deliver(slot, nodeGradients, observer);
                }

                SumLoss(binding.Output(LossRows.Name), slices, sliceLoss);
                Runs++;
            }
        }
        finally
        {
            foreach (ref var pin in _pins.AsSpan(0, nodeGradients.Count)) pin.Dispose();
            GC.KeepAlive(this);
            GC.KeepAlive(batch);
        }
    }

    /// <summary>
    /// Between two steps: the same program with another plan. The memory of the old one is given back first.
    /// </summary>
    internal void TakePlan(Compilation compiled)
    {
        Invariant.Check(compiled.Forward == _compiled.Forward, "EX-9 a plan is taken by the program of its graph");
        Invariant.Check(Profiler is null, "EX-10 a plan is not changed while its steps are timed");
        var context = _memory.Context;
        _arena.Dispose();
        _bindings.Clear();
        (_compiled, _plan, _arena, _evaluation) = (compiled, compiled.Training, ArenaFor(compiled), null);
        _memory = new ProgramMemory(_plan, _arena);
        _memory.Context.Seed = context.Seed;
    }

    // Training and evaluation take turns, so they share the memory.
    private static Arena ArenaFor(Compilation compiled) =>
        new(Math.Max(compiled.Training.Memory.TotalBytes, compiled.Evaluation.Memory.TotalBytes));

    /// <summary>Gives the planned memory back; the program is not used again.</summary>
    public void Dispose() => _arena.Dispose();

    private static InputSpec SpecOf(GraphNode input)
    {
        var type = input.Type;
        if (type.BatchAxis != 0 || type[0].Size != 1)
            throw new GraphException($"input {input.Name} is {type.Text}; its first dimension must be the batch");
        Span<int> dims = stackalloc int[type.Rank - 1];
        for (var i = 0; i < dims.Length; i++) dims[i] = type[i + 1].Size;
        return new InputSpec(input.Name, type.DType, new Shape(dims));
    }

    private static unsafe void BindInputs(ProgramMemory memory, BatchBuffer batch)
    {
        for (var i = 0; i < memory.Inputs.Length; i++)
        {
            var storage = batch.StorageOf(i);
            // The buffers of a batch are pinned for life, and the caller keeps the batch.
            var skipped = (long)batch.FirstRow * batch.Inputs[i].ElementsPerSample * batch.Inputs[i].DType.Size();
            var first = Unsafe.AsPointer(ref MemoryMarshal.GetReference(storage.Span<byte>(0, storage.Bytes)));
            memory.Inputs[i].Bind((byte*)first + skipped, storage.Bytes - skipped);
        }
    }

    private static void SumLoss(Tensor rows, StepSlices slices, Span<double> sliceLoss)
    {
        var values = rows.Raw<float>();
        var perRow = slices.Rows == 0 ? 0 : values.Length / slices.Rows;
        var at = 0;
        for (var i = 0; i < slices.RowsPerSlice.Length; i++)
        {
            var sum = 0.0;
            for (var end = at + (slices.RowsPerSlice[i] * perRow); at < end; at++) sum += values[at];
            sliceLoss[i] = sum;
        }
    }

    private Binding BindingOf(StepSlices slices, long stride)
    {
        foreach (var known in _bindings)
            if (known.GradientStride == stride && known.Slices.SameAs(slices)) return known;
        if (_bindings.Count == BindingsMax) _bindings.RemoveAt(0);
        var binding = new Binding(_plan, _memory, slices, stride);
        _bindings.Add(binding);
        return binding;
    }

    // Gradients of the nodes at even distances are written in place. Otherwise they are made in memory of our own and
    // copied parameter by parameter.
    private unsafe long PinGradients(IReadOnlyList<Memory<float>> gradients)
    {
        if (_pins.Length < gradients.Count) _pins = new MemoryHandle[gradients.Count];
        for (var i = 0; i < gradients.Count; i++) _pins[i] = gradients[i].Pin();
        var length = Layout.TotalLength;
        if (gradients.Count == 0)
        {
            _memory.Gradients.Bind(null, 0);
            return length;
        }

        var first = (float*)_pins[0].Pointer;
        var stride = gradients.Count == 1 ? length : (float*)_pins[1].Pointer - first;
        var isEven = stride >= length && stride * gradients.Count < int.MaxValue;
        for (var i = 1; i < gradients.Count; i++) isEven &= (float*)_pins[i].Pointer - first == i * stride;
        if (isEven)
        {
            _staged = false;
            _memory.Gradients.Bind(first, (((gradients.Count - 1) * stride) + length) * sizeof(float));
            return stride;
        }

        _staged = true;
        var needed = checked((int)(length * gradients.Count));
        if (_staging.Length < needed) _staging = GC.AllocateArray<float>(needed, pinned: true);
        _memory.Gradients.Bind(
            Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_staging)), (long)needed * sizeof(float));
        return length;
    }

    private void Deliver(int slot, IReadOnlyList<Memory<float>> gradients, IGradientObserver? observer)
    {
        var (offset, length) = ((int)Layout.Slots[slot].Offset, (int)Layout.Slots[slot].Length);
        var next = slot + 1 < Layout.Slots.Count ? Layout.Slots[slot + 1].Offset : Layout.TotalLength;
        for (var i = 0; i < gradients.Count; i++)
        {
            var gradient = gradients[i].Span;
            var staged = (int)((i * Layout.TotalLength) + offset);
            if (_staged) _staging.AsSpan(staged, length).CopyTo(gradient.Slice(offset, length));
            gradient[(offset + length)..(int)next].Clear();
        }

        observer?.OnParameterReady(slot);
    }

    private void ClearUnused(IReadOnlyList<Memory<float>> gradients, IGradientObserver? observer)
    {
        for (var s = 0; s < _plan.WithoutGradient.Count; s++)
        {
            var slot = Layout.Slots[_plan.WithoutGradient[s]];
            for (var i = 0; i < gradients.Count; i++)
                gradients[i].Span.Slice((int)slot.Offset, (int)slot.Length).Clear();
            observer?.OnParameterReady(_plan.WithoutGradient[s]);
        }
    }

    private void CheckCall(
        BatchBuffer batch, StepSlices slices, ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> gradients,
        Span<double> sliceLoss)
    {
        CheckFlat(weights.Length);
        CheckBatch(batch);
        Invariant.Check(batch.Rows == slices.Rows, "EX-3 the batch has the rows of the share");
        Invariant.Check(gradients.Count == slices.Nodes.Length, "EX-4 one gradient per node of the cover");
        Invariant.Check(sliceLoss.Length >= slices.RowsPerSlice.Length, "EX-5 one loss per slice of the share");
        for (var i = 0; i < gradients.Count; i++) CheckFlat(gradients[i].Length);
    }

    private void CheckBatch(BatchBuffer batch)
    {
        Invariant.Check(batch.Rows <= RowsMax, "EX-6 a batch has at most the rows that the program was compiled for");
        Invariant.Check(batch.Inputs.Count == Inputs.Count, "EX-7 a batch has the inputs of the program");
        for (var i = 0; i < Inputs.Count; i++)
            Invariant.Check(batch.Inputs[i] == Inputs[i], "EX-7 a batch has the inputs of the program");
    }

    private void CheckFlat(long length) =>
        Invariant.Check(length == Layout.TotalLength, "EX-8 weights and gradients have the length of the layout");
}
