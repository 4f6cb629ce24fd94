namespace Convoy.Kernels;

/// <summary>Sizes of 2-d pooling over x [N, C, H, W] to y [N, C, OutH, OutW], both contiguous.</summary>
public readonly record struct Pool2dShape(int N, int C, int H, int W, int Kh, int Kw, int Stride, int Padding = 0)
{
    public int OutH => ((H + (2 * Padding) - Kh) / Stride) + 1;
    public int OutW => ((W + (2 * Padding) - Kw) / Stride) + 1;
    public int Planes => N * C;
    public int InputSize => Planes * H * W;
    public int OutputSize => Planes * OutH * OutW;

    internal void Check()
    {
        if (N < 0 || C < 0 || H < 1 || W < 1 || Kh < 1 || Kw < 1 || Stride < 1 || Padding < 0)
            throw new ArgumentException($"not a pooling: {this}");
        if (2 * Padding > Math.Min(Kh, Kw) || H + (2 * Padding) < Kh || W + (2 * Padding) < Kw)
            throw new ArgumentException($"the window does not fit the padded image: {this}");
    }
}
