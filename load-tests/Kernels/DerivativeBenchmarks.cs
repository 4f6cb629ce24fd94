using BenchmarkDotNet.Attributes;
using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// TEST-09: derivatives of a function of n numbers whose Hessian is full: Σ over the rows of tanh(A x)², A of [n, n].
/// A product with the Hessian grows as the function does (n²); Jacobian and Hessian take a pass for each row.
/// </summary>
public class DerivativeBenchmarks
{
    private Variable? _matrix;
    private Tensor? _x;
    private Tensor? _along;

    [Params(10, 30, 100)]
    public int N { get; set; } = 10;

    [GlobalSetup]
    public void Setup()
    {
        Tensor Of(uint seed, params int[] dims) => Tensor.Of<double>(
            [.. Operands.Numbers(dims.Aggregate((a, b) => a * b), seed).Select(v => (double)v)], new(dims));
        (_matrix, _x, _along) = (new Variable(Of(1, N, N)), Of(2, N), Of(3, N));
    }

    [Benchmark(Baseline = true)]
    public long Function() => Scalar(new Variable(_x!)).Data.Count;

    [Benchmark]
    public long Gradient() => Derivatives.Gradient(Scalar, _x!).Count;

    [Benchmark]
    public long HessianVector() => Derivatives.HessianVector(Scalar, _x!, _along!).Count;

    [Benchmark]
    public long Jacobian() => Derivatives.Jacobian(Rows, _x!).Count;

    [Benchmark]
    public long Hessian() => Derivatives.Hessian(Scalar, _x!).Count;

    [Benchmark]
    public int GradientCheck() => GradCheck.Run(x => Scalar(x[0]), [_x!])[0].Checked;

    private Variable Rows(Variable x) => (Variable)_matrix!.MatMul(x).Tanh();

    private Variable Scalar(Variable x) => (Variable)Rows(x).Square().Sum();
}
