using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>
/// Lowers a graph to the generic text form of MLIR (https://mlir.llvm.org/docs/LangRef): one function whose arguments
/// are inputs and parameters, one operation a node in a dialect <c>convoy</c>, ranked tensor types with <c>?</c> for
/// the batch and other sizes that have names. Compilers built on MLIR read it with unregistered dialects allowed and
/// map the dialect to theirs.
/// </summary>
public static class MlirText
{
    /// <summary>The module as text.</summary>
    /// <param name="graph">Any graph that the verifier takes.</param>
    /// <param name="function">The name of its one function.</param>
    public static string Of(Graph graph, string function = "model")
    {
        var text = new StringBuilder("module {\n");
        GraphNode[] arguments = [.. graph.Inputs, .. graph.Parameters];
        var results = graph.Outputs.Select(o => TypeText(graph.TypeOf(o.Value))).ToArray();
        text.Append("  \"func.func\"() ({\n  ^bb0(")
            .AppendJoin(", ", arguments.Select(a => $"{Name(graph, new ValueRef(a.Id, 0))}: {TypeText(a.Type)}"))
                .Append("):\n");
        foreach (var node in graph.Nodes)
            if (node.Op != OpTable.Input && node.Op != OpTable.Parameter) Operation(text, graph, node);
        text.Append("    \"func.return\"(").AppendJoin(", ", graph.Outputs.Select(o => Name(graph, o.Value)))
            .Append(") : (").AppendJoin(", ", results).Append(") -> ()\n");
        text.Append("  }) {arg_names = [").AppendJoin(", ", arguments.Select(a => Quoted(a.Name)))
            .Append("], function_type = (").AppendJoin(", ", arguments.Select(a => TypeText(a.Type))).Append(") -> (")
            .AppendJoin(", ", results).Append("), res_names = [")
                .AppendJoin(", ", graph.Outputs.Select(o => Quoted(o.Name)))
            .Append(CultureInfo.InvariantCulture, $"], sym_name = {Quoted(function)}}} : () -> ()\n}}\n");
        return text.ToString();
    }

    private static void Operation(StringBuilder text, Graph graph, GraphNode node)
    {
        text.Append(CultureInfo.InvariantCulture, $"    %{node.Id}");
        if (node.Types.Length > 1) text.Append(CultureInfo.InvariantCulture, $":{node.Types.Length}");
        text.Append(CultureInfo.InvariantCulture, $" = \"convoy.{node.Op.Name.Replace('-', '_')}\"(")
            .AppendJoin(", ", node.Inputs.Select(i => Name(graph, i))).Append(')');
        if (node.Attributes.Entries.Length > 0)
        {
            text.Append(" {")
                .AppendJoin(", ", node.Attributes.Entries.Select(e => $"{e.Key} = {AttributeText(e.Value)}"))
                .Append('}');
        }

        var results = string.Join(", ", node.Types.Select(TypeText));
        text.Append(" : (").AppendJoin(", ", node.Inputs.Select(i => TypeText(graph.TypeOf(i)))).Append(") -> ")
            .Append(node.Types.Length > 1 ? $"({results})" : results).Append('\n');
    }

    private static string Name(Graph graph, ValueRef value)
    {
        var node = graph.Nodes[value.Node];
        if (node.Op == OpTable.Input || node.Op == OpTable.Parameter) return $"%arg{value.Node}";
        return node.Types.Length > 1 ? $"%{value.Node}#{value.Output}" : $"%{value.Node}";
    }

    private static string TypeText(TensorType type)
    {
        var element = type.DType switch
        {
            DType.Float32 => "f32",
            DType.Float64 => "f64",
            _ => $"i{8 * type.DType.Size()}",
        };
        return $"tensor<{string.Concat(type.Dims.Select(d => d.IsSymbolic ? "?x" : string.Create(CultureInfo.InvariantCulture, $"{d.Size}x")))}{element}>";
    }

    private static string AttributeText(object value) => value switch
    {
        long number => string.Create(CultureInfo.InvariantCulture, $"{number} : i64"),
        double number => Number(number),
        string words => Quoted(words),
        ImmutableArray<int> list => Array([.. list.Select(i => (long)i)]),
        // A dimension that follows the batch is the negative of its factor, as sizes are never negative; one with other
        // names is what MLIR has for a dynamic size.
        ImmutableArray<Dim> dims => Array(
            [.. dims.Select(d => d.HasNames ? long.MinValue : d.PerSample ? -(long)d.Size : d.Size)]),
        _ => throw Shared.Invariant.Unhandled(value),
    };

    private static string Array(long[] numbers) =>
        numbers.Length == 0 ? "array<i64>" : $"array<i64: {string.Join(", ", numbers)}>";

    // Bits where the text form has no digits for the number.
    private static string Number(double value) => double.IsFinite(value)
        ? $"{value.ToString("0.0################E+0", CultureInfo.InvariantCulture)} : f64"
        : $"0x{BitConverter.DoubleToInt64Bits(value):X16} : f64";

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (b is >= 0x20 and < 0x7F and not (byte)'"' and not (byte)'\\') quoted.Append((char)b);
            else quoted.Append(CultureInfo.InvariantCulture, $"\\{b:X2}");
        }

        return quoted.Append('"').ToString();
    }
}
