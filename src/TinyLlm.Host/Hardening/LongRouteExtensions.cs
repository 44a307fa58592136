using Microsoft.AspNetCore.Http.Timeouts;

namespace TinyLlm.Host.Hardening;

/// <summary>Marks the routes that <see cref="HttpOptions.RequestTimeout"/> does not end.</summary>
internal static class LongRouteExtensions
{
    /// <summary>The route takes what it takes: it moves files, or removes much. The data rates still bound slow clients, and <see cref="ReaderPatience"/> those that do not read.</summary>
    public static TBuilder WithoutTimeout<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new DisableRequestTimeoutAttribute());

    /// <summary>
    /// From here on the request takes what it takes: what it asks for has arrived, and is long work. Before, the data rates do not help: who sent megabytes at once may by
    /// them send nothing for hours, and the host held them.
    /// </summary>
    public static void WithoutTimeoutFromHere(this HttpContext http) => http.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
}
