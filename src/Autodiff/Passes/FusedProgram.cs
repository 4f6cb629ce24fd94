using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>How an operand lies under the result.</summary>
internal enum OperandForm
{
    /// <summary>Element i belongs to element i.</summary>
    Whole,
    /// <summary>One element for all.</summary>
    Scalar,
    /// <summary>The last dimensions, repeated: element i belongs to i modulo the length.</summary>
    Row,
    /// <summary>The first dimensions: element i belongs to i divided by the run.</summary>
    Column,
}

/// <summary>An operand of a fused operator.</summary>
/// <param name="Type">Its type, for the shape rule.</param>
/// <param name="Form">How it lies.</param>
/// <param name="Length">Row: elements until it repeats. Column: elements that share one.</param>
internal sealed record FusedOperand(TensorType Type, OperandForm Form, int Length)
{
    /// <summary>The form of an operand, or null for one that repeats in between (it is not fused).</summary>
    public static FusedOperand? Of(TensorType type, TensorType result)
    {
        if (type.DType != result.DType) return null;
        if (type.Equals(result)) return new FusedOperand(type, OperandForm.Whole, 0);
        if (type.IsPerSample != result.IsPerSample && type.IsPerSample) return null;
        if (type is { Coefficient: 1, IsPerSample: false }) return new FusedOperand(type, OperandForm.Scalar, 0);
        if (IsRow(type, result)) return new FusedOperand(type, OperandForm.Row, checked((int)type.Coefficient));
        return RunOf(type, result) is > 0 and var run ? new FusedOperand(type, OperandForm.Column, run) : null;
    }

    private static bool IsRow(TensorType type, TensorType result)
    {
        if (type.IsPerSample) return false;
        var axis = 1;
        while (axis <= type.Rank && axis <= result.Rank && type[type.Rank - axis] == result[result.Rank - axis]) axis++;
        for (; axis <= type.Rank; axis++)
            if (type[type.Rank - axis] != 1) return false;
        return true;
    }

    private static int RunOf(TensorType type, TensorType result)
    {
        if (type.Rank != result.Rank) return 0;
        var axis = 0;
        while (axis < type.Rank && type[axis] == result[axis]) axis++;
        var run = 1;
        for (; axis < type.Rank; axis++)
        {
            if (type[axis] != 1 || result[axis].PerSample) return 0;
            run = checked(run * result[axis].Size);
        }

        return run;
    }
}

/// <summary>
/// One function of a fused operator. Places below 0 are operands (~place), then come the registers, then the results.
/// </summary>
internal readonly record struct FusedStep(IBlockwise Op, Attributes Attributes, int A, int B, int C, int To)
{
    public const int None = int.MinValue;
}

/// <summary>
/// Element-wise operators as a list of steps over a few registers of a block each. The last step writes the first
/// result, others may write further ones, which later steps read as well. Data: made by <see cref="FuseElementwise"/>,
/// never sent anywhere.
/// </summary>
internal sealed record FusedProgram(
    string Text, FusedOperand[] Operands, FusedStep[] Steps, int Registers, TensorType Result, int Results);
