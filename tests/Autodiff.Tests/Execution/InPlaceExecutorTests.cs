using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>TEN-07: results over operands, and what is refused.</summary>
public sealed class InPlaceExecutorTests
{
    private static readonly double[] Numbers = [0.5, 1.5, 2, 0.25, 3, 0.75];

    private static Tensor Make(DType type) => Tensor.Of(Numbers, 2, 3).Cast(type);

    public static TheoryData<string, DType> Unary() => new(
        from name in new[] { "relu", "sigmoid", "one-minus", "tanh", "abs", "negate", "exp", "log", "sqrt", "square",
            "pow", "add", "multiply", "clip" }
        from type in new[] { DType.Float32, DType.Float64 }
        select (name, type));

    [Theory]
    [MemberData(nameof(Unary))]
    public void OneOperand_GivesTheBitsOfTheOperator(string name, DType type)
    {
        var (x, executor) = (Make(type), new InPlaceExecutor());
        Value v = new Variable(Make(type));
        switch (name)
        {
            case "relu": executor.Relu(x); v = v.Relu(); break;
            case "sigmoid": executor.Sigmoid(x); v = v.Sigmoid(); break;
            case "one-minus": executor.OneMinus(x); v = v.OneMinus(); break;
            case "tanh": executor.Tanh(x); v = v.Tanh(); break;
            case "abs": executor.Abs(x); v = v.Abs(); break;
            case "negate": executor.Negate(x); v = v.Negate(); break;
            case "exp": executor.Exp(x); v = v.Exp(); break;
            case "log": executor.Log(x); v = v.Log(); break;
            case "sqrt": executor.Sqrt(x); v = v.Sqrt(); break;
            case "square": executor.Square(x); v = v.Square(); break;
            case "pow": executor.Pow(x, 3); v = v.Pow(3); break;
            case "add": executor.Add(x, 2.5); v = v + 2.5; break;
            case "multiply": executor.Multiply(x, 2.5); v = v * 2.5; break;
            default: executor.Clip(x, 0.6, 2.5); v = v.Clamp(0.6, 2.5); break;
        }

        Assert.Equal(((Variable)v).Data.Cast(DType.Float64).ToArray<double>(), x.Cast(DType.Float64).ToArray<double>());
        Assert.Equal(executor.Applied * 6 * type.Size(), executor.BytesSaved);
    }

    [Fact]
    public void TwoOperands_WithBroadcasting()
    {
        var executor = new InPlaceExecutor();
        var y = Tensor.Of([2.0, 1, 0.5], 3);
        (Action<Tensor> InPlace, Func<Value, Value> Apart)[] all =
        [
            (x => executor.Add(x, y), v => v + new Variable(y)),
            (x => executor.Subtract(x, y), v => v - new Variable(y)),
            (x => executor.Multiply(x, y), v => v * new Variable(y)),
            (x => executor.Divide(x, y), v => v / new Variable(y)),
            (x => executor.Minimum(x, y), v => v.Minimum(new Variable(y))),
            (x => executor.Maximum(x, y), v => v.Maximum(new Variable(y))),
            (x => executor.Multiply(x, x), v => v.Square()),
        ];
        foreach (var (inPlace, apart) in all)
        {
            var x = Make(DType.Float64);
            inPlace(x);
            Assert.Equal(((Variable)apart(new Variable(Make(DType.Float64)))).Data.ToArray<double>(),
                x.ToArray<double>());
        }
    }

    [Fact]
    public void AViewWithGaps_IsWritten_WithoutSaving()
    {
        var (x, executor) = (Make(DType.Float64), new InPlaceExecutor());
        executor.Negate(x.Slice(SliceSpec.All, SliceSpec.Range(0, 3, 2)));
        Assert.Equal([-0.5, 1.5, -2, -0.25, 3, -0.75], x.ToArray<double>());
        Assert.Equal((1, 0), (executor.Applied, executor.BytesSaved));
    }

    [Fact]
    public void UnsafeOverwrites_AreRefused_AndWriteNothing()
    {
        var (x, executor) = (Make(DType.Float64), new InPlaceExecutor());
        var square = x.Slice(SliceSpec.All, ..2);
        Action[] refused =
        [
            () => executor.Add(x.Slice(0), x.Slice(0, SliceSpec.Reversed)),
            () => executor.Add(square, square.Transpose()),
            () => executor.Add(x, x.Slice(0)),
            () => executor.Exp(x.Slice(0..1).BroadcastTo(new Shape(4, 3))),
            () => executor.Add(x.Slice(0), x.Copy()),
            () => executor.Run(OpTable.Add, x, Tensor.Zeros(DType.Float32, 2, 3)),
            () => executor.Exp(Tensor.Zeros(DType.Int32, 2)),
        ];
        Assert.All(refused, act => Assert.Throws<ShapeException>(act));
        Assert.Throws<UnsupportedException>(() => executor.Run(OpTable.Transpose, x));
        Assert.Throws<UnsupportedException>(() => executor.Run(OpTable.MseLoss, x, x));
        Assert.Equal(Numbers, x.ToArray<double>());
        executor.Add(x.Slice(0), x.Slice(1));
        Assert.Equal([0.75, 4.5, 2.75], x.Slice(0).ToArray<double>());
    }

    [Fact]
    public void ProtectedMemory_IsNotWritten_UntilItsScopeEnds()
    {
        var executor = new InPlaceExecutor();
        var x = new Variable(Make(DType.Float64), requiresGradient: true);
        var y = (Variable)x.Exp();
        var loss = (Variable)y.Sum();
        using (executor.Protect(loss))
        {
            Assert.Throws<ShapeException>(() => executor.Relu(y.Data));
            Assert.Throws<ShapeException>(() => executor.Relu(x.Data.Slice(1)));
        }

        using (executor.Protect(x.Data)) Assert.Throws<ShapeException>(() => executor.Relu(x.Data));
        executor.Square(y.Data);
        Assert.Throws<GradientException>(() => loss.Backward());
    }

    [Theory]
    [InlineData(1, -1)]
    [InlineData(double.NaN, 1)]
    public void BoundsThatAreNoInterval_AreRefused_BeforeAnythingIsWritten(double low, double high)
    {
        // TEN-07
        var x = Tensor.Of([-2.0, 0, 2], 3);
        Assert.Throws<ShapeException>(() => new InPlaceExecutor().Clip(x, low, high));
        Assert.Equal([-2.0, 0, 2], x.ToArray<double>());
    }
}
