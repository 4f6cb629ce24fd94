using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>What cells of recurrent layers ask of their operands: nothing is repeated without a word.</summary>
internal static class Recurrent
{
    /// <summary>The width H of the state, after a check of x_NI, states_NH, w_(GH)I, u_(GH)H, biases_GH.</summary>
    public static int Width(Value x, Value[] states, int gates, Value w, Value u, Value[] biases)
    {
        var state = states[0].Type;
        if (x.Type.Rank != 2 || state.Rank != 2)
            throw Wrong($"an input is [N, I] and a state [N, H], not {x.Type.Text} and {state.Text}");
        var (n, width) = (x.Type[0], state[1].Size);
        foreach (var s in states) Check("a state", s.Type, [n, width]);
        Check("the weight of the input", w.Type, [gates * width, x.Type[1]]);
        Check("the weight of the state", u.Type, [gates * width, width]);
        foreach (var bias in biases) Check("a bias", bias.Type, [gates * width]);
        return width;
    }

    private static void Check(string what, TensorType given, Dim[] wanted)
    {
        if (!given.Dims.AsSpan().SequenceEqual(wanted))
            throw Wrong($"{what} is [{string.Join(", ", wanted)}], not {given.Text}");
    }

    private static ShapeException Wrong(string rule) => new(rule);
}
