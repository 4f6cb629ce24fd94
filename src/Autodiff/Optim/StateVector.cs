using Convoy.Autodiff.Execution;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Optim;

/// <summary>What an optimizer remembers of one parameter in a state vector.</summary>
/// <param name="State">What it is, such as "moment1": with the parameter its name in checkpoints.</param>
/// <param name="Parameter">The parameter's name.</param>
/// <param name="Shape">Of the tensor.</param>
/// <param name="Offset">Its first element in the vector.</param>
public sealed record StateTensor(string State, string Parameter, Shape Shape, long Offset);

/// <summary>
/// One flat vector of an optimizer's state and the tensors that fill it: in the layout of the weights for most, fewer
/// elements for a rule that factors.
/// </summary>
/// <param name="Length">Elements, gaps included.</param>
/// <param name="Tensors">In the order of the parameters.</param>
public sealed record StateVector(long Length, IReadOnlyList<StateTensor> Tensors)
{
    /// <summary>One element for each weight, where the weight lies.</summary>
    public static StateVector Like(ParameterLayout layout, string name) => new(layout.TotalLength,
        [.. layout.Slots.Select(s => new StateTensor(name, s.Name, s.Shape, s.Offset))]);
}
