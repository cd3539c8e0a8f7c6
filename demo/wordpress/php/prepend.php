<?php
/**
 * PHP's built-in server speaks no TLS; where a proxy before it does, this tells WordPress so. Runs before
 * every script; the router, before which PHP runs nothing, calls it itself.
 */

if ( getenv( 'WORDPRESS_HTTPS' ) === 'on' ) {
	$_SERVER['HTTPS'] = 'on';
}
