using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tests.Execution.Asynchronous;

/// <summary>Begins a run when it is given one, ends it when the test says so; remembers what it was given.</summary>
internal sealed class GatedExecutor(Graph graph, int rows) : IExecutor
{
    private readonly SemaphoreSlim _mayEnd = new(0);
    private readonly SemaphoreSlim _begun = new(0);

    public Graph Graph => graph;
    public int Rows => rows;
    public List<Tensor> Seen { get; } = [];

    public IReadOnlyDictionary<string, Tensor> Run(
        IReadOnlyDictionary<string, Tensor> bindings, CancellationToken cancel = default)
    {
        Seen.Add(bindings["x"]);
        _begun.Release();
        _mayEnd.Wait(cancel);
        return new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["y"] = bindings["x"] };
    }

    /// <summary>Returns when so many further runs have begun.</summary>
    public async Task BegunAsync(int runs = 1)
    {
        for (var i = 0; i < runs; i++)
            Assert.True(await _begun.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
    }

    public void End(int runs = 1) => _mayEnd.Release(runs);
}
