using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>
/// Softmax attention, causal or full; layouts are in <see cref="AttentionShape"/>. Only the log-sum-exp of each row is
/// saved, and the scores of all heads are never written: scratch has six rows of one head in the forward pass, and
/// in the backward pass those of 256 queries of one head for each thread, with their gradients.
/// With s = (q·k)·scale over the visible keys: p = e^(s - max); output = (Σ p·v)·(1/Σp); the backward pass uses
/// p = e^(s - lse). Contractions follow K-2 (over head size; over keys; over queries), row sums the 16 virtual lanes.
/// A zero result is +0. What a query does not see is as if it were not there, also where it is not finite.
/// </summary>
public static unsafe class Attention
{
    public static void Forward<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, Span<T> output, Span<T> logSumExp,
        in AttentionShape shape) where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(q.Length, k.Length, v.Length, output.Length, logSumExp.Length, shape);
        if (typeof(T) == typeof(float) && shape.HeadSize <= FloatAttention.HeadSizeMax)
        {
            fixed (float* pq = q.AsFloat(), pk = k.AsFloat(), pv = v.AsFloat())
            fixed (float* po = output.AsFloat(), lse = logSumExp.AsFloat())
            {
                FloatAttention.Forward(
                    new AttentionCall { Shape = shape, Q = pq, K = pk, V = pv, Output = po, LogSumExp = lse });
            }

            return;
        }

        AttentionReference.Forward(q, k, v, output, logSumExp, shape);
    }

    /// <summary>Gradients of q, k, v from that of the output; they may be ranges of one buffer, as the
    /// inputs.</summary>
    public static void Backward<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> output, ReadOnlySpan<T> logSumExp,
        ReadOnlySpan<T> dOutput, Span<T> dq, Span<T> dk, Span<T> dv, in AttentionShape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckSizes(q.Length, k.Length, v.Length, output.Length, logSumExp.Length, shape);
        CheckSizes(dq.Length, dk.Length, dv.Length, dOutput.Length, logSumExp.Length, shape);
        if (typeof(T) == typeof(float) && shape.HeadSize <= FloatAttention.HeadSizeMax)
        {
            fixed (float* pq = q.AsFloat(), pk = k.AsFloat(), pv = v.AsFloat())
            fixed (float* po = output.AsFloat(), lse = logSumExp.AsFloat(), pdo = dOutput.AsFloat())
            fixed (float* pdq = dq.AsFloat(), pdk = dk.AsFloat(), pdv = dv.AsFloat())
            {
                FloatAttention.Backward(new AttentionCall
                {
                    Shape = shape, Q = pq, K = pk, V = pv, Output = po, LogSumExp = lse, DOutput = pdo, DQ = pdq,
                    DK = pdk, DV = pdv,
                });
            }

            return;
        }

        AttentionReference.Backward(q, k, v, output, logSumExp, dOutput, dq, dk, dv, shape);
    }

    private static void CheckSizes(int q, int k, int v, int output, int lse, in AttentionShape shape)
    {
        Sizes.AtLeast(q, shape.InputSize);
        Sizes.AtLeast(k, shape.InputSize);
        Sizes.AtLeast(v, shape.InputSize);
        Sizes.AtLeast(output, shape.OutputSize);
        Sizes.AtLeast(lse, (long)shape.Batch * shape.Heads * shape.Time);
    }
}
