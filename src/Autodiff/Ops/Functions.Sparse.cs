using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// Products with sparse matrices in coordinate form: one row, column and value for each element that is not zero.
// Written in index-select and index-add, so work and memory grow with the elements that are there, and gradients are
// theirs.
public static partial class Functions
{
    /// <summary>y_MN = a_MK x_KN for a sparse a: y[row] = Σ value x[column]; elements at one place add up.</summary>
    /// <param name="values">values_E, differentiable.</param>
    /// <param name="rows">rows_E in [0, M), int32.</param>
    /// <param name="columns">columns_E in [0, K), int32.</param>
    /// <param name="rowCount">M.</param>
    /// <param name="x">x_KN.</param>
    public static Value SparseMatMul(Value values, Value rows, Value columns, int rowCount, Value x)
    {
        if (values.Type.Rank != 1 || !values.Type.Text.Equals(rows.Type.Text, StringComparison.Ordinal)
            || !values.Type.Text.Equals(columns.Type.Text, StringComparison.Ordinal) || x.Type.Rank != 2)
        {
            throw new ShapeException(
                $"sparse-matmul: values {values.Type.Text}, rows {rows.Type.Text} and columns {columns.Type.Text} are lists of one length, x {x.Type.Text} is a matrix");
        }

        var taken = x.IndexSelect(0, columns) * values.Unsqueeze(1);
        return taken.Apply(OpTable.IndexAdd, Attributes.Of("axis", 0, "size", rowCount), rows);
    }
}
