using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tensors;

/// <summary>Copies between any two views of equal shape; runs of contiguous elements go as blocks.</summary>
internal static class StridedCopy
{
    public static void Run(Tensor source, Tensor target)
    {
        switch (source.DType.Size())
        {
            case 4: Run<int>(source, target); break;
            case 8: Run<long>(source, target); break;
            default: Run<byte>(source, target); break;
        }
    }

    private static void Run<T>(Tensor source, Tensor target) where T : unmanaged
    {
        if (source.Count == 0) return;
        var from = Window<T>(source, out var fromBase);
        var to = Window<T>(target, out var toBase);
        if (source.IsContiguous && target.IsContiguous)
        {
            from.Slice(fromBase, (int)source.Count).CopyTo(to[toBase..]);
            return;
        }

        var rank = source.Rank;
        Span<int> index = stackalloc int[rank];
        index.Clear();
        var (inner, fromStep, toStep) = (source.Shape[rank - 1], source.Strides[rank - 1], target.Strides[rank - 1]);
        do
        {
            var (a, b) = (fromBase, toBase);
            for (var axis = 0; axis < rank - 1; axis++)
            {
                a += index[axis] * source.Strides[axis];
                b += index[axis] * target.Strides[axis];
            }

            CopyRun(from, a, fromStep, to, b, toStep, inner);
        }
        while (Advance(index, source.Shape));
    }

    private static void CopyRun<T>(
        Span<T> from, int a, int fromStep, Span<T> to, int b, int toStep, int count) where T : unmanaged
    {
        if (fromStep == 1 && toStep == 1)
        {
            from.Slice(a, count).CopyTo(to[b..]);
            return;
        }

        if (fromStep == 0 && toStep == 1)
        {
            to.Slice(b, count).Fill(from[a]);
            return;
        }

        for (var i = 0; i < count; i++, a += fromStep, b += toStep) to[b] = from[a];
    }

    // The smallest stretch of storage that holds every element of the view, and where its first element lies in it.
    private static Span<T> Window<T>(Tensor view, out int first) where T : unmanaged
    {
        long low = 0, high = 0;
        for (var axis = 0; axis < view.Rank; axis++)
        {
            var reach = (long)(view.Shape[axis] - 1) * view.Strides[axis];
            if (reach < 0) low += reach;
            else high += reach;
        }

        first = (int)-low;
        return view.Storage.Span<T>(view.Offset + low, high - low + 1);
    }

    private static bool Advance(Span<int> index, Shape shape)
    {
        for (var axis = index.Length - 2; axis >= 0; axis--)
        {
            if (++index[axis] < shape[axis]) return true;
            index[axis] = 0;
        }

        return false;
    }
}
