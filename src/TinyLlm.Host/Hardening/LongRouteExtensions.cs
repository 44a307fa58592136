using Microsoft.AspNetCore.Http.Timeouts;

namespace TinyLlm.Host.Hardening;

/// <summary>Marks the routes that <see cref="HttpOptions.RequestTimeout"/> does not end.</summary>
internal static class LongRouteExtensions
{
    /// <summary>The route takes what it takes: it moves files, generates, or removes much. The data rates still bound slow clients, and <see cref="ReaderPatience"/> those that do not read.</summary>
    public static TBuilder WithoutTimeout<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new DisableRequestTimeoutAttribute());
}
