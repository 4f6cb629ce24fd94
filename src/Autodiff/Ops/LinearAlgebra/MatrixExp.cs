using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = Σ xᵏ / k! of the last two dimensions        x_..NN -> y_..NN
// dx = the upper right block of exp [[xᵀ, dy], [0, xᵀ]] (Mathias 1996)
internal sealed class MatrixExp : MatrixFunction
{
    public override string Name => "matrix-exp";

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes) =>
        Matrices.Exp(inputs[0], shapes[0].Shape[-1], outputs[0]);
}
