namespace Convoy.Kernels;

/// <summary>
/// A register of float32 lanes of any width: scalar, 128, 256 or 512 bits. A formula that is written once against it
/// gives the same bits on every width, because each method is one IEEE operation (or bit operation) per lane.
/// Comparisons return all-ones or all-zeros per lane; the Int methods read the lanes as int32.
/// </summary>
public unsafe interface ILanes<TSelf> where TSelf : unmanaged, ILanes<TSelf>
{
    static abstract int Count { get; }
    static abstract TSelf Create(float value);
    static abstract TSelf CreateInt(int value);
    static abstract TSelf Load(float* source);
    static abstract void Store(TSelf value, float* destination);
    /// <summary>Stores past the caches, where the machine can; the destination is aligned to 64 bytes.</summary>
    static abstract void Stream(TSelf value, float* destination);
    static abstract TSelf operator +(TSelf a, TSelf b);
    static abstract TSelf operator -(TSelf a, TSelf b);
    static abstract TSelf operator *(TSelf a, TSelf b);
    static abstract TSelf operator /(TSelf a, TSelf b);
    static abstract TSelf operator &(TSelf a, TSelf b);
    static abstract TSelf operator |(TSelf a, TSelf b);
    static abstract TSelf operator ^(TSelf a, TSelf b);
    /// <summary>a·b + c with one rounding, also where the machine has no such instruction.</summary>
    static abstract TSelf Fma(TSelf a, TSelf b, TSelf c);
    /// <summary>sum = a·b + sum with one rounding, in the register of the sum.</summary>
    static abstract void AddProduct(TSelf a, TSelf b, ref TSelf sum);
    static abstract TSelf Sqrt(TSelf a);
    static abstract TSelf Greater(TSelf a, TSelf b);
    static abstract TSelf Equal(TSelf a, TSelf b);
    /// <summary>Lanes of <paramref name="a"/> where the mask is all ones, of <paramref name="b"/> elsewhere.</summary>
    static abstract TSelf Select(TSelf mask, TSelf a, TSelf b);
    /// <summary>a where a is smaller than b, else b: also when either is NaN.</summary>
    static abstract TSelf Lesser(TSelf a, TSelf b);
    /// <summary>a where a is larger than b, else b: also when either is NaN.</summary>
    static abstract TSelf Larger(TSelf a, TSelf b);
    static abstract TSelf AddInt(TSelf a, TSelf b);
    static abstract TSelf SubtractInt(TSelf a, TSelf b);
    static abstract TSelf ShiftLeft(TSelf a, int bits);
    /// <summary>Arithmetic shift of the int32 lanes.</summary>
    static abstract TSelf ShiftRight(TSelf a, int bits);
    static abstract TSelf IntToFloat(TSelf a);
    /// <summary>Per lane the entry of <see cref="Eighths"/> that the three low bits of the index name.</summary>
    static abstract TSelf Eighth(TSelf index);
}
