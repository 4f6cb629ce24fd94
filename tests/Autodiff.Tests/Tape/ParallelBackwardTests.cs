using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// AD-14: backward on the threads of a team: element-wise rules, gradients of several uses, gradients of a batch and
/// what broadcasting sums. The bits are those of one thread, wherever the work is cut.
/// </summary>
public sealed class ParallelBackwardTests
{
    private const int Rows = 96;
    private const int Columns = 320;

    [Theory]
    [InlineData(2, null, null)]
    [InlineData(4, 10_000, 2_500)]
    [InlineData(5, 1, 7)]
    public void Gradients_have_the_bits_of_one_thread(int threads, int? least, int? part)
    {
        var alone = Gradients();
        using var team = new ThreadTeam(
            threads, new ThreadTeamOptions { ElementsMin = least, ElementsPerPart = part });
        using (team.Enter()) Assert.Equal(alone, Gradients());
    }

    private static float[][] Gradients()
    {
        var (x, w, b) = (Numbers(1, Rows, Columns), Numbers(2, Columns), Numbers(3, 1));
        var m = Numbers(4, Columns, 24);
        var hidden = (Variable)(((Variable)(x * w)).Tanh() + (x * b) + (x * x));
        var mixed = (Variable)hidden.MatMul(m);
        ((Variable)(mixed * mixed.Sigmoid()).Sum()).Backward();
        return [.. new[] { x, w, b, m }.Select(v => v.Gradient!.ToArray<float>())];
    }

    private static Variable Numbers(int seed, params int[] shape)
    {
        var values = new float[shape.Aggregate(1, (a, d) => a * d)];
        for (var i = 0; i < values.Length; i++) values[i] = (float)Math.Sin((seed * 7919) + (i * 0.37));
        return new Variable(Tensor.Of(values, shape), requiresGradient: true);
    }
}
