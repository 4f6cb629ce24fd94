using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>A function as a chain: the result of each link is the argument of the next.</summary>
public sealed record FunctionChain(params IReadOnlyList<Func<Value, Value>> Links)
{
    /// <summary>The whole chain at x: the last link of the one before, and so on; x itself for no links.</summary>
    public Value Of(Value x)
    {
        foreach (var link in Links) x = link(x);
        return x;
    }

    /// <summary>
    /// As <see cref="Of"/>, on the tape of eager variables in pieces of which only what enters them is kept: backward
    /// runs each again. x and every variable that links read besides have their gradients, of any order, links may be
    /// chains of this kind, and hooks are called as ever. Numbers are those of <see cref="Of"/>; of a variable that
    /// several pieces read, gradients are added piece by piece. Other values than eager ones have no tape to save.
    /// </summary>
    /// <param name="x">What enters the first link.</param>
    /// <param name="pieces">0: as many as the root of the links.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 0 pieces.</exception>
    /// <exception cref="GradientException">On the way back: a link does not do the same again, or what it reads was
    /// written in place.</exception>
    public Value Checkpointed(Value x, int pieces = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pieces);
        foreach (var piece in Cut(pieces > 0 ? pieces : RootOf(Links.Count)))
            x = x is Variable eager ? CheckpointedPiece.Of(piece.Of, eager) : piece.Of(x);
        return x;
    }

    internal static int RootOf(int links) => (int)Math.Ceiling(Math.Sqrt(links));

    // Piece i has the links from i n / pieces on.
    internal FunctionChain[] Cut(int pieces)
    {
        pieces = Math.Min(pieces, Links.Count);
        int From(int piece) => (int)((long)piece * Links.Count / pieces);
        return [.. Enumerable.Range(0, pieces).Select(
            i => new FunctionChain([.. Links.Skip(From(i)).Take(From(i + 1) - From(i))]))];
    }
}

/// <summary>f(x), and Jᵀu for each u that was asked for; each of x's shape.</summary>
public sealed record VjpResult(Tensor Value, IReadOnlyList<Tensor> Gradients, string Strategy)
{
    /// <summary>Most bytes of tapes and of what enters pieces that were held at one time; 0 where a graph is run.
    /// Against that of <see cref="VjpStrategy.Standard"/>, what another way has saved.</summary>
    public long KeptBytes { get; init; }
}

/// <summary>
/// HO-02: one question, f(x) and Jᵀu for some u, and several ways to an answer that differ in memory and time.
/// Standard, checkpointed and fused give the same bits where they apply the same operators. What a function reads
/// besides x is a constant here; <see cref="FunctionChain.Checkpointed"/> has gradients of all of it.
/// </summary>
public abstract class VjpStrategy
{
    /// <summary>One tape for all links, one pass back for each u.</summary>
    public static VjpStrategy Standard { get; } = new StandardVjp();

    /// <summary>Keeps only what enters each link, and computes the link again on the way back: one link's
    /// memory. In a scope of buffers what a link made goes back to the pool as the link ends.</summary>
    public static VjpStrategy Checkpointed { get; } = new CheckpointedVjp(_ => int.MaxValue);

    /// <summary>As <see cref="Checkpointed"/>, in pieces of about as many links each: less is kept, and more made again
    /// at a time.</summary>
    /// <param name="count">Pieces; 0: as many as the root of the links, where both grow least with the chain.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 0.</exception>
    public static VjpStrategy Pieces(int count = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return new CheckpointedVjp(links => count > 0 ? count : FunctionChain.RootOf(links));
    }

    /// <summary>All u in one pass back, side by side.</summary>
    public static VjpStrategy Vectorized { get; } = new VectorizedVjp();

    /// <summary>
    /// Function and gradient captured as one graph, made smaller and fused by the passes; the graph is kept for the
    /// next call with the same shapes.
    /// </summary>
    public static VjpStrategy Fused(FunctionChain f) => new FusedVjp(f);

    /// <summary>Chooses for each call; <see cref="VjpResult.Strategy"/> says which and why.</summary>
    /// <param name="budgetBytes">What a tape may keep. It is given up at the link that goes beyond.</param>
    public static VjpStrategy Adaptive(long budgetBytes = 1L << 30) => new AdaptiveVjp(budgetBytes);

    /// <summary>One word, as <see cref="VjpResult.Strategy"/> shows it.</summary>
    public abstract string Name { get; }

    /// <summary>f(x), and Jᵀu for each cotangent u.</summary>
    /// <param name="f">The function; a fused strategy takes the one it was made for.</param>
    /// <param name="x">Where.</param>
    /// <param name="cotangents">Each of f(x)'s shape; at least one.</param>
    public VjpResult Run(FunctionChain f, Tensor x, params IReadOnlyList<Tensor> cotangents)
    {
        if (cotangents.Count == 0) throw new ArgumentException("a vector-Jacobian product needs a vector");
        using var recording = GradientMode.On();
        return Answer(f, x, cotangents);
    }

    private protected abstract VjpResult Answer(FunctionChain f, Tensor x, IReadOnlyList<Tensor> cotangents);

    private protected static Tensor DataOf(Value value) => ((Variable)value).Data;

    private protected static void RequireFit(IReadOnlyList<Tensor> cotangents, TensorType y)
    {
        for (var i = 0; i < cotangents.Count; i++)
            if (!cotangents[i].Type.Equals(y)) throw new ShapeException(
                $"vector-Jacobian product: cotangent {i} of {cotangents[i].Type} does not belong to a result of {y}");
    }

    private protected static (Variable X, Variable Y) Recorded(FunctionChain f, Tensor x)
    {
        var free = new Variable(x, requiresGradient: true);
        return (free, (Variable)f.Of(free));
    }
}

internal sealed class StandardVjp : VjpStrategy
{
    public override string Name => "standard";

    private protected override VjpResult Answer(FunctionChain f, Tensor x, IReadOnlyList<Tensor> cotangents)
    {
        var (free, y) = Recorded(f, x);
        RequireFit(cotangents, y.Type);
        return new VjpResult(y.Data, Back(free, y, cotangents), Name) { KeptBytes = History.Of([y]).SavedBytes() };
    }

    internal static IReadOnlyList<Tensor> Back(Variable x, Variable y, IReadOnlyList<Tensor> cotangents) =>
        [.. cotangents.Select(u => Differentiate.Gradient([y], [x], [new Variable(u)])[0].Data)];
}

internal sealed class CheckpointedVjp(Func<int, int> piecesOf) : VjpStrategy
{
    public override string Name => "checkpointed";

    private protected override VjpResult Answer(FunctionChain f, Tensor x, IReadOnlyList<Tensor> cotangents)
    {
        var pieces = f.Cut(piecesOf(f.Links.Count));
        var entering = new Tensor[pieces.Length];
        Value at = new Variable(x);
        using (GradientMode.Off())
        {
            for (var i = 0; i < entering.Length; i++)
            {
                entering[i] = DataOf(at);
                using var region = BufferScope.Region();
                at = pieces[i].Of(at);
                region?.Hand(DataOf(at));
            }
        }

        RequireFit(cotangents, at.Type);
        var (going, tape) = (cotangents, 0L);
        for (var i = entering.Length - 1; i >= 0; i--)
        {
            using var region = BufferScope.Region();
            var (free, y) = Recorded(pieces[i], entering[i]);
            // What enters the piece is a part of its tape.
            tape = Math.Max(tape, History.Of([y]).SavedBytes() - BytesOf(entering[i]));
            going = StandardVjp.Back(free, y, going);
            foreach (var gradient in going) region?.Hand(gradient);
        }

        return new VjpResult(DataOf(at), going, Name)
        {
            KeptBytes = tape + entering.Sum(BytesOf),
        };
    }

    private static long BytesOf(Tensor tensor) => tensor.Count * tensor.DType.Size();
}

internal sealed class VectorizedVjp : VjpStrategy
{
    public override string Name => "vectorized";

    private protected override VjpResult Answer(FunctionChain f, Tensor x, IReadOnlyList<Tensor> cotangents)
    {
        var (free, y) = Recorded(f, x);
        RequireFit(cotangents, y.Type);
        return new VjpResult(y.Data, Back(free, y, cotangents), Name) { KeptBytes = History.Of([y]).SavedBytes() };
    }

    internal static IReadOnlyList<Tensor> Back(Variable x, Variable y, IReadOnlyList<Tensor> cotangents)
    {
        using var scope = GradientMode.Off();
        var tape = History.Of([y]).Applications();
        var stacked = Functions.Stack(0, [.. cotangents.Select(u => new Variable(u))]);
        var rows = DataOf(Vmap.Run(u => Transform.Back(EagerBuilder.Instance, x, tape, y, u[0]), [stacked]));
        return [.. Enumerable.Range(0, cotangents.Count).Select(i => rows.Slice(i).Contiguous())];
    }
}

internal sealed class FusedVjp(FunctionChain owner) : VjpStrategy
{
    // One graph gives both results, one behind the other, because a compiled function has one.
    private readonly Func<Value[], Value> _graph = Transform.JitOf(x =>
    {
        var (free, tape, y) = Transform.Record(x[0].Builder, x[0], owner.Of);
        if (!x[1].Type.Equals(y.Type)) throw new ShapeException(
            $"vector-Jacobian product: a cotangent of {x[1].Type} does not belong to a result of {y.Type}");
        var gradient = Transform.Back(x[0].Builder, free, tape, y, x[1]);
        return Functions.Concat(
            0, y.Reshape((int)y.Type.Coefficient), gradient.Reshape((int)x[0].Type.Coefficient));
    });

    public override string Name => "fused";

    private protected override VjpResult Answer(FunctionChain f, Tensor x, IReadOnlyList<Tensor> cotangents)
    {
        if (!ReferenceEquals(f, owner))
            throw new ArgumentException("a fused strategy keeps the graph of one function: make one for each");
        using var scope = GradientMode.Off();
        var gradients = new Tensor[cotangents.Count];
        var value = x;
        for (var i = 0; i < gradients.Length; i++)
        {
            var both = DataOf(_graph([new Variable(x), new Variable(cotangents[i])]));
            var split = (int)cotangents[i].Count;
            value = both.Slice(..split).Reshape(cotangents[i].Shape);
            gradients[i] = both.Slice(split..).Reshape(x.Shape);
        }

        return new VjpResult(value, gradients, Name);
    }
}

internal sealed class AdaptiveVjp(long budgetBytes) : VjpStrategy
{
    public override string Name => "adaptive";

    private protected override VjpResult Answer(FunctionChain f, Tensor x, IReadOnlyList<Tensor> cotangents)
    {
        var free = new Variable(x, requiresGradient: true);
        var (y, kept) = (free, 0L);
        foreach (var link in f.Links)
        {
            y = (Variable)link(y);
            kept = History.Of([y]).SavedBytes();
            if (kept <= budgetBytes || f.Links.Count == 1) continue;
            return Checkpointed.Run(f, x, cotangents) with
            {
                Strategy = $"checkpointed: a tape of {kept} bytes is over {budgetBytes}",
            };
        }

        RequireFit(cotangents, y.Type);
        // Side by side pays from the second vector on; one alone would only be packed and unpacked.
        var result = cotangents.Count > 1
            ? new VjpResult(y.Data, VectorizedVjp.Back(free, y, cotangents), $"vectorized: {cotangents.Count} vectors")
            : new VjpResult(y.Data, StandardVjp.Back(free, y, cotangents), "standard: one vector");
        return result with { KeptBytes = kept };
    }
}
