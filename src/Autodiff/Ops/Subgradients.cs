namespace Convoy.Autodiff.Ops;

/// <summary>Which slope is taken at a kink, where any between the two sides is a subgradient (Clarke 1975).</summary>
public enum KinkRule
{
    /// <summary>The slope from below (abs: -1, relu: 0).</summary>
    Left,
    /// <summary>The slope from above (abs: 1, relu: 1).</summary>
    Right,
    /// <summary>The mean of both (abs: 0, relu: 1/2); elements that tie share evenly.</summary>
    Middle,
    /// <summary>The shortest one (abs: 0, relu: 0).</summary>
    LeastNorm,
}

/// <summary>
/// Chooses the subgradient of abs (and with it of L1 norms and losses), relu, maximum and minimum at their kinks, for
/// gradients that are taken on this thread until the scope is disposed. Of a tie, Left takes the second operand, Right
/// the first.
/// </summary>
public static class Subgradients
{
    /// <summary>Until the scope is disposed, gradients taken on this thread follow the rule at kinks.</summary>
    public static IDisposable Use(KinkRule rule) => new Scopes(
        GradientOverride.Use(OpTable.Abs, g => [g.Gradient * Abs(g.Inputs[0], rule)]),
        GradientOverride.Use(OpTable.Relu, g => [g.Gradient * Relu(g.Inputs[0], rule)]),
        GradientOverride.Use(OpTable.Maximum, g => Choice(g, larger: true, rule)),
        GradientOverride.Use(OpTable.Minimum, g => Choice(g, larger: false, rule)));

    private static Value Abs(Value x, KinkRule rule)
    {
        var zero = x.Constant(0);
        var slope = x.Greater(zero) - x.Less(zero);
        return rule switch
        {
            KinkRule.Left => slope - x.Equal(zero),
            KinkRule.Right => slope + x.Equal(zero),
            _ => slope,
        };
    }

    private static Value Relu(Value x, KinkRule rule)
    {
        var zero = x.Constant(0);
        return rule switch
        {
            // Not below, rather than above: a NaN passes the gradient on, as it does without a choice.
            KinkRule.Right => x.Less(zero).OneMinus(),
            KinkRule.Middle => x.Less(zero).OneMinus() - (x.Equal(zero) * 0.5),
            _ => x.LessEqual(zero).OneMinus(),
        };
    }

    private static Value[] Choice(CustomGradient g, bool larger, KinkRule rule)
    {
        var (a, b) = (g.Inputs[0], g.Inputs[1]);
        // Of all that add to one, even shares are the shortest.
        var share = rule switch
        {
            KinkRule.Left => 0.0,
            KinkRule.Right => 1.0,
            _ => 0.5,
        };
        var ties = a.Equal(b);
        return [g.Gradient * Of(a, b, share), g.Gradient * Of(b, a, 1 - share)];

        Value Of(Value mine, Value other, double tie) =>
            (larger ? mine.LessEqual(other) : mine.GreaterEqual(other)).OneMinus() + (ties * tie);
    }

    private sealed class Scopes(params IDisposable[] scopes) : IDisposable
    {
        public void Dispose()
        {
            for (var i = scopes.Length - 1; i >= 0; i--) scopes[i].Dispose();
        }
    }
}
