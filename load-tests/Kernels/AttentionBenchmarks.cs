using BenchmarkDotNet.Attributes;
using Convoy.Kernels;

namespace Convoy.LoadTests.Kernels;

/// <summary>Causal attention over queries, keys and values that lie side by side.</summary>
public class AttentionBenchmarks : TeamBenchmarks, ICounted
{
    private AttentionShape _s;
    private int _width;
    private float[] _qkv = [], _gradient = [], _o = [], _dOut = [], _lse = [];

    [Params("b8 T64 h4 d16", "b8 T128 h4 d32", "b4 T256 h4 d64")]
    public string Shape { get; set; } = "b8 T64 h4 d16";

    protected override void Prepare()
    {
        var (batch, time, heads, size) = Of(Shape);
        _width = heads * size;
        _s = new AttentionShape(batch, time, heads, size, 3 * _width, _width, true);
        var rows = batch * time;
        (_qkv, _gradient) = (Operands.Numbers(rows * 3 * _width), new float[rows * 3 * _width]);
        (_o, _dOut, _lse) = (new float[rows * _width], Operands.Numbers(rows * _width), new float[rows * heads]);
    }

    [Benchmark]
    public void Forward()
    {
        using var team = Together();
        Attention.Forward<float>(_qkv, _qkv.AsSpan(_width), _qkv.AsSpan(2 * _width), _o, _lse, _s);
    }

    [Benchmark]
    public void Backward()
    {
        using var team = Together();
        Attention.Backward<float>(
            _qkv, _qkv.AsSpan(_width), _qkv.AsSpan(2 * _width), _o, _lse, _dOut, _gradient,
            _gradient.AsSpan(_width), _gradient.AsSpan(2 * _width), _s);
    }

    Work ICounted.WorkOf(string method)
    {
        var (batch, time, heads, size) = Of(Shape);
        var forward = 2.0 * batch * heads * time * (time + 1) * size;
        // Five products of that size against two.
        return new Work(Flops: method == nameof(Forward) ? forward : 2.5 * forward);
    }

    private static (int Batch, int Time, int Heads, int Size) Of(string text)
    {
        var n = text.Split(' ').Select(w => int.Parse(w.AsSpan(1))).ToArray();
        return (n[0], n[1], n[2], n[3]);
    }
}
