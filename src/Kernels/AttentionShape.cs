namespace Convoy.Kernels;

/// <summary>
/// Sizes of self-attention. Element (b, t, h, e) of q, k, v and their gradients lies at
/// (b·Time + t)·InputStride + h·HeadSize + e of its span; of the output and its gradient the same with OutputStride;
/// log-sum-exp is [Batch, Heads, Time]. So q, k, v may be the three column ranges of one projection
/// [rows, 3·Heads·HeadSize]: pass qkv, qkv[D..], qkv[2D..] with InputStride = 3D, and nothing is copied.
/// </summary>
/// <param name="Scale">Factor of the scores; 0 means 1/√HeadSize.</param>
public readonly record struct AttentionShape(
    int Batch, int Time, int Heads, int HeadSize, int InputStride, int OutputStride, bool Causal, double Scale = 0)
{
    internal double Factor => Scale == 0 ? 1 / Math.Sqrt(HeadSize) : Scale;
    internal long InputSize => Sizes.Matrix(Batch * Time, Heads * HeadSize, InputStride);
    internal long OutputSize => Sizes.Matrix(Batch * Time, Heads * HeadSize, OutputStride);
    internal int Keys(int query) => Causal ? query + 1 : Time;
    internal int FirstQuery(int key) => Causal ? key : 0;
}
