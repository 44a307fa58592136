namespace TinyLlm.Cli.Inspection;

/// <summary>Why a file is invalid.</summary>
/// <param name="Code">The machine-readable rule.</param>
/// <param name="File">The file at fault: a bare name.</param>
/// <param name="Tensor">The tensor at fault, where it is one.</param>
/// <param name="Message">What, value, bound and remedy.</param>
internal sealed record InspectionFault(string Code, string File, string? Tensor, string Message)
{
    /// <summary>The place: file, and tensor.</summary>
    public string Place => Tensor is null ? File : $"{File}: tensor '{Tensor}'";

    /// <summary>All of it on one line; many messages name the tensor themselves.</summary>
    public string ToLine() => $"{(Tensor is not null && Message.Contains($"'{Tensor}'", StringComparison.Ordinal) ? File : Place)}: {Message} (code {Code})";
}
