using Convoy.Autodiff.Graphs;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim;

/// <summary>
/// What bounds that are learned from earlier steps remember, as a parameter of the graph that no operator reads: so it
/// is part of the state of the job, of its checkpoints, and of what a joining worker is given. Its elements are how
/// many numbers there are, then each as two floats, the nearest one and the rest.
/// </summary>
public static class UpdateMemory
{
    /// <summary>The parameter's name.</summary>
    public const string Name = "update.memory";
    // The last bound and a count, beside the norms.
    private const int Beside = 4;

    /// <summary>Elements that a job needs; 0: it remembers nothing.</summary>
    public static int LengthFor(ClipSpec clip) =>
        clip.Percentile > 0 ? 1 + (2 * (clip.Window + Beside)) : clip.Average > 0 ? 1 + (2 * Beside) : 0;

    /// <summary>The graph with a place for what the job must remember, where it must.</summary>
    public static Graph AddTo(Graph graph, JobSpec job)
    {
        if (LengthFor(job.Clip) is not (> 0 and var length)) return graph;
        var edit = new GraphEdit(graph);
        edit.CopyAll();
        edit.Target.Parameter(Name, ParameterInit.Zeros, length);
        return edit.Finish();
    }

    internal static double[] Read(ReadOnlySpan<float> memory)
    {
        var numbers = new double[(int)memory[0]];
        for (var i = 0; i < numbers.Length; i++)
        {
            var (near, rest) = (memory[1 + (2 * i)], memory[2 + (2 * i)]);
            numbers[i] = float.IsFinite(near) ? (double)near + rest : near;
        }

        return numbers;
    }

    internal static void Write(IReadOnlyList<double> numbers, Span<float> memory)
    {
        memory.Clear();
        memory[0] = numbers.Count;
        for (var i = 0; i < numbers.Count; i++)
        {
            var near = (float)numbers[i];
            (memory[1 + (2 * i)], memory[2 + (2 * i)]) =
                (near, float.IsFinite(near) ? (float)(numbers[i] - near) : 0);
        }
    }
}
