using System.Globalization;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

// MON-07: the first NaN of a compiled step. Steps run in order, so the first result that holds one is where it arose.
public sealed partial class TrainProgram
{
    /// <summary>
    /// Looks at every result of a step and throws an <see cref="AnomalyException"/> that names operator and step where
    /// the first NaN arose. For finding faults: a look costs about as much as an addition.
    /// </summary>
    public bool FindsAnomalies { get; set; }

    private static void RequireNumbers(ReadOnlySpan<float> weights, long step)
    {
        if (weights.IndexOf(float.NaN) is >= 0 and var at)
            throw new AnomalyException(string.Create(
                CultureInfo.InvariantCulture, $"step {step}: element {at} of the weights is NaN before the step"));
    }

    private void RequireNumbers(int index, BoundStep bound, long step)
    {
        foreach (var call in bound.Calls)
        {
            if (call is null) continue;
            foreach (var output in call.Outputs)
                if (FirstNaN(output) is { } at) throw Anomaly(_plan.Steps[index], call, at, step);
        }
    }

    private static int? FirstNaN(Tensor tensor)
    {
        if (tensor.DType != DType.Float32) return null;
        var at = tensor.Raw<float>().IndexOf(float.NaN);
        return at < 0 ? null : at;
    }

    private static AnomalyException Anomaly(PlanStep plan, OpCall call, int at, long step)
    {
        var name = $"step {step}: {plan.Node.Op.Name} ({plan.Node.Name})";
        for (var i = 0; i < call.Inputs.Length; i++)
        {
            // The weights were looked at, and every result before: what is left is the batch.
            if (FirstNaN(call.Inputs[i]) is { } before) return new AnomalyException(string.Create(
                CultureInfo.InvariantCulture,
                $"{name} meets the first NaN, element {before} of its operand {i}, {call.Inputs[i].Type}: "
                + $"look at the data"));
        }

        return new AnomalyException(string.Create(CultureInfo.InvariantCulture,
            $"{name} makes the first NaN, element {at} of its result; "
            + $"its operands are {string.Join(", ", call.Inputs.Select(t => t.Shape))}"));
    }
}
