using System.Runtime.InteropServices;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.OpenCl;

/// <summary>
/// What must hold of a device before anything trusts it: a few small convolutions, forward and both gradients, with the
/// bits of the processor; results among the denormal numbers, a stride, groups and slices are in it.
/// </summary>
internal static class ConvTrial
{
    private static readonly Conv2dShape[] Shapes =
    [
        new(5, 3, 7, 6, 4, 3, 3, Padding: 1), new(5, 40, 5, 5, 2, 3, 3, Stride: 2, Padding: 1, Groups: 2),
        new(5, 2, 16, 12, 3, 2, 3, Dilation: 2),
    ];

    /// <summary>What is wrong, in words, or null.</summary>
    public static string? Fault(Accelerator accelerator)
    {
        foreach (var shape in Shapes)
        {
            foreach (var scale in (ReadOnlySpan<float>)[1f, 1e-20f])
            {
                var expected = Results(shape, scale);
                float[] actual;
                using (accelerator.Enter()) actual = Results(shape, scale);
                if (!MemoryMarshal.AsBytes<float>(expected).SequenceEqual(MemoryMarshal.AsBytes<float>(actual)))
                    return $"gave other bits than the processor ({shape}, numbers of {scale:0e+0})";
            }
        }

        return null;
    }

    private static float[] Results(in Conv2dShape s, float scale)
    {
        var (x, w) = (Numbers(s.N * s.InputSize, scale, 0), Numbers(s.WeightSize, scale, 1));
        var (dy, bias) = (Numbers(s.N * s.OutputSize, scale, 2), Numbers(s.COut, scale * scale, 3));
        var all = new float[dy.Length + x.Length + w.Length];
        Conv2d.Forward<float>(x, w, bias, all.AsSpan(0, dy.Length), s);
        Conv2d.GradInput<float>(dy, w, all.AsSpan(dy.Length, x.Length), s);
        ReadOnlySpan<int> starts = [0, 1, 1, s.N];
        ReadOnlySpan<TreeNode> root = [new TreeNode(2, 0)];
        Conv2d.SegmentedGradWeight<float>(
            x, dy, all.AsSpan(dy.Length + x.Length), w.Length, s, new Segments(starts, 0, 3, root));
        return all;
    }

    private static float[] Numbers(int count, float scale, ulong stream)
    {
        var numbers = new float[count];
        new RandomStream(1, RandomPurpose.Mask, stream).FillUniform(numbers, 0, -scale, scale);
        return numbers;
    }
}
