namespace TinyLlm.SafeTensors;

/// <summary>How the tensors of one file lie beside each other: end to end from 0 to the file's last byte.</summary>
internal static class TensorLayout
{
    /// <summary>Brings the tensors into the order of their offsets; an empty one stands before the one that begins where it does.</summary>
    public static void Sort(TensorInfo[] tensors)
    {
        for (int i = 1; i < tensors.Length; i++)
        {
            if (Compare(tensors[i - 1], tensors[i]) <= 0) continue;
            Array.Sort(tensors, Compare);
            return;
        }
    }

    /// <summary>Refuses tensors in offset order that do not cover <paramref name="dataBytes"/> exactly.</summary>
    public static void Check(ReadOnlySpan<TensorInfo> tensors, long dataBytes)
    {
        long covered = 0;
        foreach (TensorInfo tensor in tensors)
        {
            if (tensor.Begin > covered)
            {
                throw Refusal.OfTensor(
                    tensor.Name, SafeTensorsError.Hole,
                    $"begins at {tensor.Begin}, and must begin at {covered}, where the previous one ends: close the hole");
            }
            if (tensor.Begin < covered)
            {
                throw Refusal.OfTensor(
                    tensor.Name, SafeTensorsError.Overlap,
                    $"begins at {tensor.Begin}, and must begin at {covered}, where the previous one ends: store shared tensors once");
            }
            covered = tensor.End;
            if (covered > dataBytes)
            {
                throw Refusal.OfTensor(
                    tensor.Name, SafeTensorsError.DataPastEnd,
                    $"ends at {covered}, and the file's data end at {dataBytes}: the file was cut short, get it again");
            }
        }
        if (covered < dataBytes)
        {
            throw Refusal.Of(
                SafeTensorsError.UnclaimedBytes,
                $"the tensors end at {covered}, and the file's data end at {dataBytes}: "
                + $"remove the {dataBytes - covered} bytes that belong to no tensor");
        }
    }

    // Ties are empty tensors at one place; the name makes their order independent of the header's.
    private static int Compare(TensorInfo left, TensorInfo right)
    {
        int order = left.Begin.CompareTo(right.Begin);
        if (order == 0) order = left.End.CompareTo(right.End);
        return order != 0 ? order : string.CompareOrdinal(left.Name, right.Name);
    }
}
