using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Samples of complex numbers: real part and imaginary part of each operand are operands of their own, so that finite
// differences go along both.
internal static partial class OpSamples
{
    private static readonly Op[] ComplexFunctions =
        [OpTable.ComplexConj, OpTable.ComplexExp, OpTable.ComplexLog, OpTable.ComplexSqrt];

    private static readonly Op[] RealOfComplex =
        [OpTable.ComplexAbs, OpTable.ComplexAngle, OpTable.ComplexReal, OpTable.ComplexImag];

    private static readonly Op[] ComplexPairs =
    [
        OpTable.ComplexAdd, OpTable.ComplexSubtract, OpTable.ComplexMultiply, OpTable.ComplexDivide,
        OpTable.ComplexPow,
    ];

    private static IEnumerable<OpSample> Complex()
    {
        foreach (var op in ComplexFunctions)
            yield return new OpSample(op, Attributes.None, Parts(3, 4)) { Differentiable = [0, 1] };
        foreach (var op in RealOfComplex) yield return new OpSample(op, Attributes.None, Parts(3, 4));
        foreach (var (a, b) in Broadcasts())
        {
            foreach (var op in ComplexPairs)
                yield return new OpSample(op, Attributes.None, [.. Parts(a), .. Parts(b)])
                {
                    Differentiable = [0, 1], Broadcasts = true,
                };
        }

        yield return new OpSample(OpTable.ComplexMatMul, Attributes.None, [.. Parts(3, 4), .. Parts(4, 2)])
        {
            Differentiable = [0, 1],
        };
        yield return new OpSample(OpTable.ComplexMatMul, Attributes.None, [.. Parts(2, 1, 2, 3), .. Parts(3, 3, 2)])
        {
            Differentiable = [0, 1],
        };
    }

    private static IEnumerable<OpSample> EmptyComplex()
    {
        foreach (var op in (Op[])[.. ComplexFunctions, .. RealOfComplex])
            yield return new OpSample(op, Attributes.None, Parts(0, 3));
        foreach (var op in ComplexPairs) yield return new OpSample(op, Attributes.None, [.. Parts(0, 3), .. Parts(3)]);
        yield return new OpSample(OpTable.ComplexMatMul, Attributes.None, [.. Parts(0, 3), .. Parts(3, 2)]);
    }

    // Away from 0, where the angle jumps, and from its cut on the negative axis.
    private static Tensor[] Parts(params int[] shape) => [Away(shape), Away(shape, 7)];
}
