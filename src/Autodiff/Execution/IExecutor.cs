using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// What runs a graph: a device, a backend, a double in a test. What every one of them must keep is written as checks in
/// <see cref="Checking.ExecutorConformance"/>. Serves one caller at a time.
/// </summary>
public interface IExecutor
{
    /// <summary>The graph that it runs.</summary>
    Graph Graph { get; }

    /// <summary>Samples of every run.</summary>
    int Rows { get; }

    /// <summary>The outputs of the graph, new tensors of the caller; the bindings are only read.</summary>
    /// <param name="bindings">
    /// Inputs and parameters by name, in the shapes of the graph at the rows of the runs; further names are ignored.
    /// </param>
    /// <param name="cancel">Ends the run between two nodes.</param>
    /// <exception cref="GraphException">A binding is missing, or has another shape or element type; the message names
    /// it. The executor serves the next run.</exception>
    /// <exception cref="OperationCanceledException">The run was ended. The executor serves the next one.</exception>
    IReadOnlyDictionary<string, Tensor> Run(
        IReadOnlyDictionary<string, Tensor> bindings, CancellationToken cancel = default);
}
