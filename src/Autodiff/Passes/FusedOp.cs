using System.Runtime.CompilerServices;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Passes;

// y... = element-wise operators, block by block        operands whole or repeated -> y...
// One pass over memory: a block of every operand is read, all steps run on it in cache, a block of y is written. Each
// step calls the kernel that the single operator calls, element i from elements i, so the bits are those of the single
// operators. A result that is not the last is written where later steps of the block find it; the memory of the
// first one may be that of an operand, because nothing of a block is read after its last step. Made after the
// gradient, on the machine that runs it: it has no gradient, no name in the table of operators, and no place in a
// graph that travels.
internal sealed class FusedOp(FusedProgram program) : Op
{
    // 4 KB a register: eight of them lie in the first cache beside what they are read from.
    private const int Block = 1_024;
    public const int SpansMax = 16;

    private readonly FusedProgram _kernels = FusedTemplates.Of(program);

    public FusedProgram Program => program;
    public override string Name => "fused";
    public override string Sharding => "a... -> a...";
    internal override bool MayOverwrite(int input) => program.Operands[input].Form == OperandForm.Whole;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, program.Operands.Length);
        for (var i = 0; i < inputs.Length; i++)
            Require(inputs[i].Equals(program.Operands[i].Type),
                $"operand {i} is {inputs[i]}, not {program.Operands[i].Type}");
        return [.. Enumerable.Repeat(program.Result, program.Results)];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(program.Steps.Length * outputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));

    internal override void Forward(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var work = new Blocks(_kernels, call);
        ElementBlocks.Run(ref work, checked((int)call.Outputs[0].Count), program.Steps.Length);
    }

    internal override Value?[] Backward(OpGradient g) => throw Invariant.Unhandled(Name);

    private readonly struct Blocks(FusedProgram program, OpCall call) : IElementBlocks
    {
        [SkipLocalsInit]
        public void Run(int from, int count)
        {
            // Registers first, then room for operands that are repeated.
            Span<float> memory = stackalloc float[(program.Registers + program.Operands.Length) * Block];
            for (var end = from + count; from < end; from += Block)
            {
                var length = Math.Min(Block, end - from);
                for (var i = 0; i < program.Operands.Length; i++) Repeat(i, from, memory.Slice(Room(i), length));
                foreach (ref readonly var step in program.Steps.AsSpan())
                {
                    step.Op.Block(
                        step.Attributes, Place(step.A, from, memory, length), Place(step.B, from, memory, length),
                        Place(step.C, from, memory, length), Target(step.To, from, memory, length));
                }
            }
        }

        private int Room(int operand) => (program.Registers + operand) * Block;

        private ReadOnlySpan<float> Place(int place, int from, Span<float> memory, int length)
        {
            if (place >= 0) return Target(place, from, memory, length);
            if (place == FusedStep.None) return default;
            return program.Operands[~place].Form == OperandForm.Whole ? call.In<float>(~place).Slice(from, length)
                : memory.Slice(Room(~place), length);
        }

        private Span<float> Target(int place, int from, Span<float> memory, int length) =>
            place < program.Registers ? memory.Slice(place * Block, length)
            : call.Out<float>(place - program.Registers).Slice(from, length);

        private void Repeat(int operand, int from, Span<float> to)
        {
            var (form, length) = (program.Operands[operand].Form, program.Operands[operand].Length);
            if (form == OperandForm.Whole) return;
            var x = call.In<float>(operand);
            if (form == OperandForm.Scalar) to.Fill(x[0]);
            else if (form == OperandForm.Row) RepeatRow(x, from % length, to);
            else RepeatColumn(x, from, length, to);
        }

        private static void RepeatRow(ReadOnlySpan<float> x, int at, Span<float> to)
        {
            while (to.Length > 0)
            {
                var part = Math.Min(to.Length, x.Length - at);
                x.Slice(at, part).CopyTo(to);
                to = to[part..];
                at = 0;
            }
        }

        private static void RepeatColumn(ReadOnlySpan<float> x, int from, int run, Span<float> to)
        {
            var (index, rest) = (from / run, run - (from % run));
            while (to.Length > 0)
            {
                var part = Math.Min(to.Length, rest);
                to[..part].Fill(x[index++]);
                to = to[part..];
                rest = run;
            }
        }
    }
}
