using System.Globalization;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Models;

// A decoder-only transformer. Shapes: N samples, T tokens of context, D width, H heads, V symbols.
//   x_NTD = tokens_VD[ids] + positions_TD
//   depth times: x += proj(attention(qkv(norm(x)))), x += down(gelu(up(norm(x)))), up to 4D and back
//   logits_NTV = head(norm(x))
// With model.dropout, x, proj and down lose a share of their elements in training before they are added.
// Weights start normal with deviation 0.02; projections into the residual stream are scaled by 1/sqrt(2 depth), so that
// the stream does not grow with depth.
internal static class Gpt
{
    private const double Deviation = 0.02;

    public static Graph Build(ModelSpec model, DataShape data)
    {
        Check(model, data);
        var (width, context) = (model.Width, model.Context);
        var normal = ParameterInit.Normal(Deviation);
        var graph = new GraphBuilder();
        var ids = graph.Input("x", DType.Int32, Dim.Batch, context);
        var tokens = graph.Parameter("tokens", normal, model.Vocabulary, width);
        var positions = graph.Parameter("positions", normal, context, width);
        var x_NTD = graph.Dropout(tokens.Embedding(ids) + positions, model.Dropout);
        for (var i = 0; i < model.Depth; i++)
        {
            using var scope = graph.Scope(string.Create(CultureInfo.InvariantCulture, $"block{i:00}"));
            x_NTD = Block(graph, x_NTD, model);
        }

        x_NTD = graph.LayerNorm("norm", x_NTD);
        graph.Classify(graph.Dense("head", x_NTD, model.Vocabulary, normal));
        return graph.Build();
    }

    private static Value Block(GraphBuilder graph, Value x_NTD, ModelSpec model)
    {
        var normal = ParameterInit.Normal(Deviation);
        var residual = ParameterInit.Normal(Deviation / Math.Sqrt(2.0 * model.Depth));
        var qkv = graph.Dense("qkv", graph.LayerNorm("norm1", x_NTD), 3 * model.Width, normal);
        var attended = qkv.Attention(model.Heads, causal: true);
        x_NTD += graph.Dropout(graph.Dense("proj", attended, model.Width, residual), model.Dropout);
        var up = graph.Dense("up", graph.LayerNorm("norm2", x_NTD), 4 * model.Width, normal);
        return x_NTD + graph.Dropout(graph.Dense("down", up.Gelu(), model.Width, residual), model.Dropout);
    }

    private static void Check(ModelSpec model, DataShape data)
    {
        if (model.Width < 1 || model.Heads < 1 || model.Width % model.Heads != 0)
            throw ModelCatalog.Wrong($"model.width {model.Width} is not a multiple of model.heads {model.Heads}");
        if (model.Depth < 1 || model.Context < 1)
            throw ModelCatalog.Wrong("model.depth and model.context are at least 1");
        if (model.Vocabulary < data.Classes)
            throw ModelCatalog.Wrong(
                $"model.vocabulary {model.Vocabulary} is smaller than the {data.Classes} symbols of the data");
        if (data.SampleShape.Count != 1 || data.SampleShape[0] != model.Context)
            throw ModelCatalog.Wrong($"model.context {model.Context} is not the length of a sample ({data.Text})");
    }
}
