namespace Convoy.Kernels.Operators;

/// <summary>
/// An elementwise function. <see cref="Lanes"/> is the float32 formula, for scalars and every register width;
/// <see cref="Double"/> is used for every other type.
/// </summary>
public interface IUnaryOperator
{
    static abstract V Lanes<V>(V x) where V : unmanaged, ILanes<V>;
    static abstract double Double(double x);
}

/// <summary>An elementwise function of two operands; see <see cref="IUnaryOperator"/>.</summary>
public interface IBinaryOperator
{
    static abstract V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V>;
    static abstract double Double(double x, double y);
}
