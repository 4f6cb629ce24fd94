namespace Convoy.Kernels;

/// <summary>
/// Sizes of a 2-d convolution. Layouts, contiguous: x [N, CIn, H, W], w [COut, CIn / Groups, Kh, Kw],
/// y [N, COut, OutH, OutW]. Padding is zeros, the same on all sides.
/// </summary>
public readonly record struct Conv2dShape(
    int N, int CIn, int H, int W, int COut, int Kh, int Kw, int Stride = 1, int Padding = 0, int Dilation = 1,
    int Groups = 1)
{
    public int OutH => Extent(H, Kh);
    public int OutW => Extent(W, Kw);
    /// <summary>Input channels of one group.</summary>
    public int CInGroup => CIn / Groups;
    /// <summary>Output channels of one group.</summary>
    public int COutGroup => COut / Groups;
    /// <summary>Terms of one output element.</summary>
    public int Terms => CInGroup * Kh * Kw;
    public int InputSize => CIn * H * W;
    public int OutputSize => COut * OutH * OutW;
    public int WeightSize => COut * Terms;

    private int Extent(int size, int kernel) =>
        Math.Max(0, ((size + (2 * Padding) - (Dilation * (kernel - 1)) - 1) / Stride) + 1);

    internal void Check()
    {
        if (N < 0 || CIn < 1 || COut < 1 || H < 1 || W < 1 || Kh < 1 || Kw < 1 || Stride < 1 || Dilation < 1
            || Padding < 0)
            throw new ArgumentException($"not a convolution: {this}");
        if (Groups < 1 || CIn % Groups != 0 || COut % Groups != 0)
            throw new ArgumentException($"channels are not whole groups: {this}");
        if (H + (2 * Padding) < (Dilation * (Kh - 1)) + 1 || W + (2 * Padding) < (Dilation * (Kw - 1)) + 1)
            throw new ArgumentException($"the kernel is larger than the padded image: {this}");
    }
}
